import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OptionSpec } from "../../src/base/option-spec.js";
import { checkOptionValue, parseOptionText } from "../../src/config/option-values.js";
import { InputByGlob, mistakesOf, resolveArgv, resolveCode, resolveYaml, template } from "./helpers.js";

describe("a text becomes the declared type", () => {
  const good: [OptionSpec, string, unknown][] = [
    [{ type: "string" }, "x", "x"],
    [{ type: "boolean" }, "true", true],
    [{ type: "boolean" }, "false", false],
    [{ type: "integer" }, "-3", -3],
    [{ type: "integer" }, "0x1F", 31],
    [{ type: "number" }, "1.5e3", 1500],
    [{ type: "duration" }, "500ms", 500],
    [{ type: "duration" }, "60s", 60_000],
    [{ type: "duration" }, "30m", 1_800_000],
    [{ type: "duration" }, "1h", 3_600_000],
    [{ type: "duration" }, "1h30m", 5_400_000],
    [{ type: "duration" }, "1.5s", 1500],
    [{ type: "duration" }, "0", 0],
    [{ type: "size" }, "64KB", 64_000],
    [{ type: "size" }, "2GiB", 2 * 1024 ** 3],
    [{ type: "size" }, "10k", 10_000],
    [{ type: "size" }, "7", 7],
    [{ type: "size", plainUnit: 1e6 }, "500MB", 500_000_000],
    [{ type: "size", plainUnit: 1e6 }, "500B", 500],
    [{ type: "size", plainUnit: 1e6 }, "2GiB", 2 * 1024 ** 3],
    [{ type: "strings" }, ".py", [".py"]],
    [{ type: "strings" }, '[".py", ".ts"]', [".py", ".ts"]],
    [{ type: "strings" }, "[ab]", ["[ab]"]],
    [{ type: "integers" }, "3", 3],
    [{ type: "integers" }, "0,2", [0, 2]],
    [{ type: "integers" }, "0-3", [0, 1, 2, 3]],
    [{ type: "map" }, "a=b=c", { a: "b=c" }],
    [{ type: "map" }, '{"a": 1}', { a: "1" }],
    [{ type: "json" }, '{"a":[1,null]}', { a: [1, null] }],
    [{ type: "json" }, "plain", "plain"],
    [{ type: "string", choices: ["a", "b"] }, "b", "b"],
    [{ type: "integer", parse: (text) => text.length }, "four", 4],
  ];
  test.each(good)("%j: %s → %j", (spec, text, value) => {
    expect(parseOptionText(text, spec, { name: "x", where: "--x" })).toEqual(value);
  });
});

describe("a bad text is refused with name, place and what is allowed", () => {
  const bad: [OptionSpec, string, RegExp][] = [
    [{ type: "boolean" }, "maybe", /true or false/],
    [{ type: "integer" }, "1.5", /a whole number/],
    [{ type: "integer" }, "", /a whole number/],
    [{ type: "integer" }, "9007199254740993", /a number that is exact, below 2\^53/],
    [{ type: "number" }, "9007199254740993", /a number that is exact, below 2\^53/],
    [{ type: "json" }, '{"id": 9007199254740993}', /integers beyond 2\^53 as texts, not .*9007199254740993/],
    [{ type: "integer", min: 1 }, "0", /a whole number of at least 1/],
    [{ type: "integer", min: 1, max: 3 }, "4", /from 1 to 3/],
    [{ type: "number" }, "NaN", /a number/],
    [{ type: "number" }, "1e999", /a number/],
    [{ type: "duration" }, "60 parsecs", /a duration like/],
    [{ type: "duration" }, "-1s", /a duration like/],
    [{ type: "size" }, "64QB", /a size like/],
    [{ type: "size" }, "-1", /a size like/],
    [{ type: "duration" }, "100", /a duration with its unit \(write 100ms or 100s\), not "100"/],
    [{ type: "duration" }, " 1e3 ", /write 1000ms or 1000s/],
    [{ type: "size", plainUnit: 1e6 }, "500", /a size with its unit \(write 500MB or 500B\), not "500"/],
    [{ type: "integers" }, "9-1", /whole numbers/],
    [{ type: "integers" }, "0-999999999", /at most 100000 whole numbers/],
    [{ type: "integers" }, "0-99999,7", /at most 100000 whole numbers/],
    [{ type: "map" }, "nothing", /a mapping/],
    [{ type: "json" }, "{a", /JSON/],
    [{ type: "string", choices: ["a", "b"] }, "c", /one of a, b/],
    [{ type: "string", notEmpty: true }, "", /a text that is not empty, not ""/],
    [{ type: "strings", notEmpty: true }, "", /a text that is not empty/],
    [{ type: "strings", notEmpty: true }, '["a", ""]', /a text that is not empty/],
    [
      {
        type: "string",
        parse: () => {
          throw new Error("a prime");
        },
      },
      "4",
      /x must be a prime/,
    ],
  ];
  test.each(bad)("%j: %s", async (spec, text, says) => {
    const [mistake] = await mistakesOf(() => parseOptionText(text, spec, { name: "x", where: "base.yaml:3:4" }));
    expect(mistake).toMatch(/^bad-value \| x must be .*\| base\.yaml:3:4/);
    expect(mistake).toMatch(says);
  });
});

describe("what is secret in a bad value is not repeated", () => {
  const spec: OptionSpec = { type: "map" };
  const cases: [string, string, Record<string, unknown>, string][] = [
    ["in JSON", "headers", { Authorization: ["Bearer hunter2"] }, '{"Authorization":["***"]}'],
    ["deep inside", "headers", { db: { password: "hunter2", n: 1 } }, '{"db":{"password":"***","n":1}}'],
  ];
  test.each(cases)("%s", async (_where, name, value, shown) => {
    const context = { name, where: "" };
    const says = (text: string) => [`bad-value | ${name} must be a mapping whose values are texts, not ${text} |  | `];
    expect(await mistakesOf(() => checkOptionValue(value, spec, context))).toEqual(says(shown));
    const text = JSON.stringify(value);
    expect(await mistakesOf(() => parseOptionText(text, spec, context))).toEqual(says(JSON.stringify(shown)));
  });

  test.each<[string, string]>([
    ["m={n: 1, password: hunter2: x}", "m={n: 1, password: *** is not YAML: Block"],
    ["m={token: *hunter2}", 'm={token: *** is not YAML: no anchor is called "***"'],
    ["m.token=[*hunter2]", "m.token=*** is not YAML | "],
  ])("nor in --mixin %s", async (word, says) => {
    const [mistake] = await mistakesOf(() => resolveArgv(["task.ts", "T", "--mixin", word], { template: template() }));
    expect(mistake).toContain(says);
    expect(mistake).not.toContain("hunter2");
  });

  test.each(["hunter2 ${nope}", "hunter2 ${oc.env:"])("nor in a wrong expression: %s", async (password) => {
    const taskOptions = { password: { type: "string", default: "" } } as const;
    const [mistake] = await mistakesOf(() => resolveYaml(`task: {password: '${password}'}`, "", { taskOptions }));
    expect(mistake).toMatch(/^interpolation .*"\*\*\*"/);
    expect(mistake).not.toContain("hunter2");
  });

  test("nor in the expression that stands for it", async () => {
    const cfg = "task: {headers: {token: {x: 'hunter2 ${oc.env:HOME}'}}, n: '${oc.env:MY_TOKEN,hunter2}'}";
    const taskOptions = { headers: { type: "map", default: {} }, n: { type: "integer", default: 0 } } as const;
    const mistakes = (await mistakesOf(() => resolveYaml(cfg, "", { taskOptions, env: { HOME: "h" } }))).join("\n");
    expect(mistakes).toMatch(/not \*\*\* .*\n.*not \$\{oc\.env:MY_TOKEN,\*\*\*\}/);
    expect(mistakes).not.toContain("hunter2");
  });
});

describe("YAML 1.1 spellings are accepted with a note where a type asks for them", () => {
  const old: [OptionSpec["type"], string, unknown][] = [
    ["boolean", "yes", true],
    ["boolean", "Off", false],
    ["boolean", "NO", false],
    ["integer", "1_000", 1000],
    ["integer", "0o17", 15],
    ["integer", "017", 17],
  ];
  test.each(old)("%s %s → %j", (type, text, value) => {
    const notes: string[] = [];
    expect(checkOptionValue(text, { type }, { name: "x", where: "f:1:1", note: (note) => notes.push(note) })).toBe(
      value,
    );
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("f:1:1");
  });
  test("and never where a text is declared", () => {
    expect(checkOptionValue("yes", { type: "string" }, { name: "x", where: "" })).toBe("yes");
  });
});

test("a number alone is no duration, wherever it was written; 0 is", async () => {
  const value = (given: unknown) => checkOptionValue(given, { type: "duration" }, { name: "t", where: "f:1:1" });
  expect(await mistakesOf(() => value(60))).toEqual([
    "bad-value | t must be a duration with its unit (write 60ms or 60s), not 60 | f:1:1 | ",
  ]);
  expect([value(0), value("0"), value("60s")]).toEqual([0, 0, 60_000]);
  const glob = (settle: unknown) => ({ use: "InputByGlob", globPattern: "*", settleTime: settle });
  const decorated = (settle: string | 0) => ({
    template: template({ inputMode: InputByGlob({ globPattern: "*", settleTime: settle }) }),
  });
  const places: Record<string, () => unknown> = {
    flag: () => resolveArgv("task.ts T --timeout 100"),
    "--cfg": () => resolveYaml("task: {timeout: 100}"),
    "the text in --cfg": () => resolveYaml("backbone: {timeout: '100'}"),
    "the mixin of --cfg": () =>
      resolveYaml("mixin: {input_mode: {use: InputByGlob, glob_pattern: a, settle_time: 100}}"),
    "--mixin": () =>
      resolveArgv(["task.ts", "T", "--mixin", "input_mode={use: InputByGlob, glob_pattern: a, settle_time: 100}"], {
        template: template(),
      }),
    code: () => resolveCode({ timeout: 100 }),
    "mixin in code": () => resolveCode({ mixin: { inputMode: glob(100) } }, { template: template() }),
    "static defaults": () => resolveArgv("task.ts T", { taskDefaults: { timeout: 100 } }),
    decorator: () => resolveArgv("task.ts T", decorated(100 as 0)),
    backoff: () => resolveCode({ backoff: "100" }),
  };
  for (const [place, say] of Object.entries(places))
    expect(await mistakesOf(say), place).toEqual([
      expect.stringMatching(/with (its unit|their units) \(write 100ms or 100s\)/),
    ]);
  await resolveArgv("task.ts T", decorated(0));
  await resolveArgv("task.ts T", decorated("100ms"));
});

test("null is for nullable options only", async () => {
  expect(checkOptionValue(null, { type: "string", nullable: true }, { name: "x", where: "" })).toBeNull();
  expect(await mistakesOf(() => checkOptionValue(null, { type: "string" }, { name: "x", where: "" }))).toHaveLength(1);
});

test("a value of a secret name is not shown in the message", async () => {
  const [mistake] = await mistakesOf(() =>
    parseOptionText("hunter2", { type: "integer" }, { name: "api_key", where: "" }),
  );
  expect(mistake).not.toContain("hunter2");
  const [other] = await mistakesOf(() =>
    parseOptionText("hunter2", { type: "integer", secret: true }, { name: "door", where: "" }),
  );
  expect(other).not.toContain("hunter2");
});

test("keys like __proto__ are refused in maps and JSON, at any depth", async () => {
  for (const text of ['{"__proto__": "x"}', '{"constructor": "x"}']) {
    expect((await mistakesOf(() => parseOptionText(text, { type: "map" }, { name: "m", where: "" })))[0]).toMatch(
      /^forbidden-key/,
    );
    expect(
      (await mistakesOf(() => parseOptionText(`{"a":[${text}]}`, { type: "json" }, { name: "j", where: "" })))[0],
    ).toMatch(/^forbidden-key/);
  }
  expect(
    (await mistakesOf(() => parseOptionText("__proto__=x", { type: "map" }, { name: "m", where: "" })))[0],
  ).toMatch(/^forbidden-key/);
});

test("any whole number survives being written and read", () => {
  fc.assert(
    fc.property(
      fc.maxSafeInteger(),
      (n) => parseOptionText(String(n), { type: "integer" }, { name: "n", where: "" }) === n,
    ),
  );
  fc.assert(
    fc.property(fc.nat(1e9), (ms) => parseOptionText(`${ms}ms`, { type: "duration" }, { name: "n", where: "" }) === ms),
  );
  fc.assert(
    fc.property(
      fc.maxSafeInteger().filter((n) => n >= 0),
      (n) => parseOptionText(`${n}B`, { type: "size" }, { name: "n", where: "" }) === n,
    ),
  );
});
