import { describe, expect, test } from "vitest";
import { parseExpression } from "../../src/config/text/expression.js";
import { folder, mistakesOf, resolveYaml, taskOptions, template } from "./helpers.js";

const x = taskOptions({ x: { type: "json" } });
const valueOfX = async (cfg: string, env: Record<string, string> = {}): Promise<unknown> =>
  (await resolveYaml(cfg, "", { ...x, env })).task.task.x;

describe("a reference becomes what it refers to", () => {
  const env = { NAME: "env", N: "4" };
  const good: [string, string, unknown][] = [
    ["a whole value keeps its type", "v: {n: 3}\ntask: {x: '${v.n}'}", 3],
    ["inside a text it is text", "v: {n: 3}\ntask: {x: 'a${v.n}b'}", "a3b"],
    ["as it was written", "v: {n: 1.10}\ntask: {x: 'v${v.n}'}", "v1.10"],
    ["a mapping", "v: {m: {a: [1]}}\ntask: {x: '${v.m}'}", { a: [1] }],
    ["a list's element", "v: [a, b]\ntask: {x: '${v[1]}${v.0}'}", "ba"],
    ["through another reference", "v: {a: '${v.b}', b: 5}\ntask: {x: '${v.a}'}", 5],
    ["through a referred mapping", "v: {a: '${v.b}', b: {c: 5}}\ntask: {x: '${v.a.c}'}", 5],
    ["a sibling", "v: {a: '${.b}', b: 5}\ntask: {x: '${v.a}'}", 5],
    ["a cousin", "v: {p: {a: '${..b}'}, b: 5}\ntask: {x: '${v.p.a}'}", 5],
    ["nested", "v: {k: a, a: 7}\ntask: {x: '${v.${v.k}}'}", 7],
    ["of the environment", "task: {x: '${oc.env:NAME}'}", "env"],
    ["of the environment, always a text", "task: {x: '${oc.env:N}'}", "4"],
    ["with a default", "task: {x: '${oc.env:NONE,a, b}'}", "a, b"],
    ["with a quoted default", `task: {x: '\${oc.env:NONE,""}'}`, ""],
    ["with null as default", "task: {x: '${oc.env:NONE,null}-'}", "null-"],
    ["with a reference as default", "v: 3\ntask: {x: '${oc.env:NONE,${v}}'}", 3],
    ["with an unused default that is unknown", "task: {x: '${oc.env:NAME,${nowhere}}'}", "env"],
    ["in the task's section under a flag's name", "task: {x: '${task.y_z}', yZ: 1}", 1],
    ["in the mixin tree without saying mixin", "task: {x: '${hard_shard_mode.input_path}'}", "in"],
    ["in the mixin tree by its whole name", "task: {x: '${mixin.hardShardMode.inputPath}'}", "in"],
    ["escaped", "task: {x: 'a\\${v}b'}", "a${v}b"],
    ["after an escaped backslash", "v: 1\ntask: {x: 'a\\\\${v}'}", "a\\1"],
    ["of the task file", "task: {x: '${SCRIPT_DIR}|${SCRIPT_PATH}'}", "/tasks|/tasks/task.ts"],
  ];
  test.each(good)("%s", async (_, cfg, value) => {
    const more = cfg.includes("y_z") ? taskOptions({ x: { type: "json" }, yZ: { type: "json" } }) : x;
    expect((await resolveYaml(cfg, "", { ...more, env })).task.task.x).toEqual(value);
  });
  test("null as a whole default is null", async () => {
    expect(await valueOfX("task: {x: '${oc.env:NONE,null}'}")).toBeNull();
  });
  test("an environment's number fits where a number is declared", async () => {
    const config = await resolveYaml("task: {n: '${oc.env:N}'}", "", {
      ...taskOptions({ n: { type: "integer" } }),
      env,
    });
    expect(config.task.task.n).toBe(4);
  });
});

test("CONFIG_* mean the file in which the value stands", async () => {
  const dir = folder({
    "base.yaml": "task: {x: '${CONFIG_PATH}'}",
    "site.yaml": "hard_shard_mode: {input_path: '${CONFIG_DIR}/${oc.env:NONE,in}', output_path: '${CONFIG_PATH}'}",
  });
  const config = await resolveYaml("", "--mixin-cfg site.yaml", { ...x, cwd: dir });
  expect(config.task.task.x).toBe(`${dir}/base.yaml`);
  expect(config.task.template!.hardShardMode).toMatchObject({ inputPath: `${dir}/in`, outputPath: `${dir}/site.yaml` });
});

test("references see what a flag says instead of the file, and what --mixin says instead of the decorator", async () => {
  const more = taskOptions({ x: { type: "json" }, lang: { type: "string" } });
  const config = await resolveYaml(
    "task: {x: '${task.lang}-${hard_shard_mode.input_path}', lang: de}",
    "--lang en --mixin hard_shard_mode.input_path=elsewhere",
    more,
  );
  expect(config.task.task.x).toBe("en-elsewhere");
});

test("a value of --mixin and of the decorator may refer as well", async () => {
  const config = await resolveYaml("root: /data\n", "--mixin hard_shard_mode.output_path=${root}/out", {
    template: template({ inputMode: { use: "InputByGlob", globPattern: "${hard_shard_mode.input_path}/*" } }),
  });
  expect(config.task.template).toMatchObject({
    hardShardMode: { outputPath: "/data/out" },
    inputMode: { globPattern: "in/*" },
  });
});

describe("a reference that leads nowhere names place and path", () => {
  const bad: [string, string, RegExp][] = [
    ["a circle", "v: {a: '${v.b}', b: '${v.a}'}\ntask: {x: '${v.a}'}", /v\.a → v\.b → v\.a/],
    ["itself", "task: {x: '${.x}'}", /task\.x → task\.x/],
    ["a circle through a mapping", "v: {a: {b: '${v}'}}\ntask: {x: '${v}'}", /refers to itself/],
    [
      "an unknown name",
      "input: {path: 1}\ntask: {x: '${input.pth}'}",
      /nothing is called "input\.pth".*Did you mean "input\.path"/,
    ],
    ["an unset variable", "task: {x: '${oc.env:HOME_OF}'}", /environment variable HOME_OF is not set/],
    ["an unknown resolver", "task: {x: '${oc.exec:ls}'}", /no resolver "oc\.exec"/],
    ["an unclosed brace", "task: {x: '${a'}", /never closed/],
    ["an empty path", "task: {x: '${}'}", /not a path/],
    ["above the root", "task: {x: '${....a}'}", /up past the root/],
    ["a mapping inside a text", "v: {a: 1}\ntask: {x: 'a${v}'}", /mapping inside a text/],
    ["Object's own members", "task: {x: '${task.toString}'}", /nothing is called/],
    ["__proto__", "task: {x: '${__proto__.x}'}", /nothing is called/],
  ];
  test.each(bad)("%s", async (_, cfg, says) => {
    const mistakes = await mistakesOf(() => resolveYaml(cfg, "", x));
    expect(mistakes[0]).toMatch(/^interpolation/);
    expect(mistakes[0]).toMatch(/base\.yaml:\d+:\d+/);
    expect(mistakes[0]).toMatch(says);
  });
  test("texts and trees that grow without bound are stopped", async () => {
    const grow = (form: (name: string) => string): string =>
      `v:\n  k0: xxxxxxxxxx\n${Array.from({ length: 40 }, (_, i) => `  k${i + 1}: ${form(`k${i}`)}`).join("\n")}\ntask: {x: '\${v.k40}'}`;
    for (const form of [(k: string) => `'\${v.${k}}\${v.${k}}'`, (k: string) => `['\${v.${k}}', '\${v.${k}}']`]) {
      expect((await mistakesOf(() => resolveYaml(grow(form), "", x)))[0]).toMatch(/interpolation .*(longer|more) than/);
    }
  });
});

test("what the environment holds is neither stored nor shown in a message", async () => {
  const more = { ...taskOptions({ n: { type: "integer" }, s: { type: "string" } }), env: { SECRET_THING: "hunter2" } };
  const config = await resolveYaml("task: {s: 'a${oc.env:SECRET_THING}'}", "", more);
  expect(config.task.task.s).toBe("ahunter2");
  expect(JSON.stringify(config.entries)).not.toContain("hunter2");
  expect(config.entries).toContainEqual(expect.objectContaining({ path: "task.s", value: "a${oc.env:SECRET_THING}" }));
  const [mistake] = await mistakesOf(() => resolveYaml("task: {n: '${oc.env:SECRET_THING}'}", "", more));
  expect(mistake).not.toContain("hunter2");
  expect(mistake).toContain("${oc.env:SECRET_THING}");
});

test("a text without references is its own expression", () => {
  expect(parseExpression("a}b$c")).toEqual(["a}b$c"]);
});
