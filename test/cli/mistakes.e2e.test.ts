import { describe, expect, test } from "vitest";
import { createPlace, sampleTask, taskFile } from "../e2e/kagurazaka.js";

/** Bad input: exit 2, nothing written, and a message that says what, where, what was probably meant, what to do. */
interface Mistake {
  readonly title: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Each must stand on stderr. */
  readonly says: readonly (string | RegExp)[];
}

const files = taskFile("files.ts");
const task = (body: string, head = `import { KagurazakaTask } from "kagurazaka";`): string =>
  `${head}\nexport class MyTask extends KagurazakaTask<{ i: number }> {\n${body}\n}\n`;
const plain = { "task.ts": task(`  *generateTasks() { yield { i: 1 }; }\n  process() {}`) };
const input = { "in/a.txt": "a" };
const roots = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];
const shout = [files, "Shout", ...roots];

async function expectMistake({ files = {}, args, env = {}, says }: Mistake): Promise<void> {
  const place = createPlace(files);
  const before = place.everything();
  const { code, stdout, stderr } = await place.run(args, env);
  for (const text of says) expect(stderr).toMatch(text);
  expect(stderr).toMatch(/^error \[[\w-]+\] /m);
  expect(stderr, "a bare stack").not.toMatch(/^ {4,}at /m);
  expect(stdout).toBe("");
  expect(code).toBe(2);
  expect(place.everything(), "nothing is written").toEqual(before);
}

function suite(name: string, mistakes: readonly Mistake[]): void {
  describe.concurrent(name, () => {
    for (const mistake of mistakes) test(mistake.title, () => expectMistake(mistake));
  });
}

suite("a task that cannot be loaded", [
  {
    title: "a missing task file is named with the nearest one there is",
    files: plain,
    args: ["tsak.ts", "MyTask"],
    says: [/no task file tsak\.ts/, /Did you mean "task\.ts"\?/],
  },
  {
    title: "a directory in place of a task file lists the files in it",
    files: { "tasks/one.ts": plain["task.ts"] },
    args: ["./tasks", "MyTask"],
    says: [/is a directory/, /tasks\/one\.ts/],
  },
  {
    title: "no task at all says how a command looks",
    args: ["--limit", "1"],
    says: [/no task is named/, /kagurazaka TASK_FILE TASK_NAME/],
  },
  {
    title: "an export that is not a task says what a task is",
    files: { "task.ts": `export class MyTask {}\n` },
    args: ["task.ts", "MyTask"],
    says: [/MyTask/, /process/],
  },
  {
    title: "an unknown export is told with the nearest name and the list",
    args: [files, "Shuot"],
    says: [/"?Shuot"?/, /Did you mean "Shout"\?/, /Fill.*Forgets.*Look|Look.*Fill|Shout.*Look/s],
  },
  {
    title: "a syntax error shows file, line and code frame",
    files: {
      "task.ts": `import { KagurazakaTask } from "kagurazaka";\nexport class MyTask extends KagurazakaTask {\n  process( { }\n}\n`,
    },
    args: ["task.ts", "MyTask"],
    says: [/task\.ts:4:\d+|task\.ts:3:\d+/, /\d \|.*process\( \{ \}/, /\^/],
  },
  {
    title: "an import that does not resolve shows who asks for what",
    files: {
      "task.ts": `import { x } from "./lib/helpr.js";\n${plain["task.ts"]}export const y = x;\n`,
      "lib/helper.ts": "export const x = 1;\n",
    },
    args: ["task.ts", "MyTask"],
    says: [/\.\/lib\/helpr\.js/, /task\.ts:1:\d+/, /helper/],
  },
  {
    title: "a package that is not installed is named",
    files: { "task.ts": `import x from "no-such-package-anywhere";\n${plain["task.ts"]}export const y = x;\n` },
    args: ["task.ts", "MyTask"],
    says: [/no-such-package-anywhere/, /task\.ts:1:\d+/],
  },
  {
    title: "a file that throws while it loads shows the line that threw",
    files: { "task.ts": `${plain["task.ts"]}throw new Error("no licence");\n` },
    args: ["task.ts", "MyTask"],
    says: [/no licence/, /task\.ts:6:\d+/],
  },
  {
    title: "a constructor that throws shows what it said",
    files: {
      "task.ts": task(
        `  constructor() { super(); throw new Error("not today"); }\n  *generateTasks() {}\n  process() {}`,
      ),
    },
    args: ["task.ts", "MyTask"],
    says: [/constructor of MyTask threw: not today/, /task\.ts:3:\d+/, /> 3 \|/],
  },
  {
    title: "a .py file is told apart from a task",
    files: { "task.py": "class MyTask: pass\n" },
    args: ["task.py", "MyTask"],
    says: [/Python/, /TypeScript/],
  },
  {
    title: "a task without items says how to list them",
    files: { "task.ts": task("  process() {}") },
    args: ["task.ts", "MyTask"],
    says: [/no items/, /generateTasks/],
  },
  {
    title: "an unknown ready-made task is told with the nearest one",
    args: ["@word-conut"],
    says: [/@word-conut/, /Did you mean "word-count"/, /@checksum/],
  },
]);

suite("a template that does not fit", [
  {
    title: "all unfilled placeholders are listed, each with the flag that fills it",
    args: [files, "Shout"],
    says: [/hard_shard_mode\.input_path/, /hard_shard_mode\.output_path/, /--mixin/],
  },
  {
    title: "a placeholder inside a list is found too",
    files: { ...input, "site.yaml": 'input_mode:\n  exts: [".txt", "???"]\n' },
    args: [...shout, "--mixin-cfg", "site.yaml"],
    says: [/input_mode\.exts/, /site\.yaml:2:\d+/],
  },
  {
    title: "an unknown mixin key is told with the nearest one",
    files: input,
    args: [...shout, "--mixin", "hard_shard_mode.inptu_path=x"],
    says: [/no key "inptu_path"/, /Did you mean "input_path"/],
  },
  {
    title: "an unknown mixin key in a file is told with its line",
    files: { ...input, "base.yaml": "mixin:\n  inputmoed:\n    exts: [.txt]\n" },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/inputmoed/, /Did you mean "input_mode"/, /base\.yaml:2:3/],
  },
  {
    title: "an unknown mode is told with the nearest one",
    files: input,
    args: [...shout, "--mixin", "input_mode.use=InputByGlobb"],
    says: [/no mode "InputByGlobb"/, /Did you mean "InputByGlob"/, /InputByExts/],
  },
  {
    title: "a mode of the wrong kind is refused",
    files: input,
    args: [...shout, "--mixin", "input_mode={use: SoftShard}"],
    says: [/SoftShard/, /input_mode/],
  },
  {
    title: "a finish check that looks at outputs needs an output mode",
    files: input,
    args: [...shout, "--mixin", "output_mode=null"],
    says: [/FinishCheckByOutputFileExistence looks at outputs, but there is no output mode/, /FinishCheckByLedger/],
  },
  {
    title: "a finish check without an output mode in the task file is refused where it stands",
    files: {
      "task.ts": `import { FinishCheckByOutputFileExistence, InputByExts, KagurazakaTask, moemoecueNormal, NoHardShard } from "kagurazaka";
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }),
  inputMode: InputByExts({ exts: [".txt"] }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export class MyTask extends KagurazakaTask {
  process() {}
}
`,
    },
    args: ["task.ts", "MyTask"],
    says: [/finishCheckMode but no outputMode/, /task\.ts:2:\d+/],
  },
  {
    title: "an output mode named after files does not fit records",
    files: { "list.jsonl": '{"a":1}\n', ...input },
    args: [...shout, "--mixin", "input_mode={use: InputFromWhateverJsonl, jsonl_path: list.jsonl}"],
    says: [/names outputs after input files/, /records/],
  },
  {
    title: "a soft shard out of range is refused",
    files: input,
    args: [...shout, "--mixin", "soft_shard.shard_idx=4", "soft_shard.shard_num=4"],
    says: [/soft_shard\.shard_idx is 4/, /0 to 3/],
  },
  {
    title: "a mixin over a task without a template is refused",
    files: plain,
    args: ["task.ts", "MyTask", "--mixin", "input_mode.exts=[.a]"],
    says: [/has no template/, /--mixin/],
  },
]);

const roundabout = `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]
task: {x: *g}
`;

suite("configuration that cannot be read", [
  {
    title: "a missing file is named with the flag",
    args: [...shout, "--cfg", "bsae.yaml"],
    files: { ...input, "base.yaml": "" },
    says: [/bsae\.yaml/, /--cfg/],
  },
  {
    title: "a YAML error shows line and column",
    files: { ...input, "base.yaml": "task:\n  limit: [1, 2\nmixin: {}\n" },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/base\.yaml:[23]:\d+/],
  },
  {
    title: "a bomb of aliases is refused",
    files: { ...input, "base.yaml": roundabout },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/alias/i, /base\.yaml/],
  },
  {
    title: "a cycle of references shows the way around",
    files: { ...input, "base.yaml": 'a: "${b}"\nb: "${a}"\nmixin:\n  output_mode: {ext: "${a}"}\n' },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/refers to itself: a → b → a/, /base\.yaml:1:4/],
  },
  {
    title: "an unknown reference is named with the nearest one and its line",
    files: { ...input, "base.yaml": 'ending: ".x"\nmixin:\n  output_mode: {ext: "${endign}"}\n' },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/endign/, /ending/, /base\.yaml:3:\d+/],
  },
  {
    title: "an environment variable that is not set is named",
    files: { ...input, "base.yaml": 'mixin:\n  output_mode: {ext: "${oc.env:NO_SUCH_VARIABLE}"}\n' },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/NO_SUCH_VARIABLE/, /base\.yaml:2:\d+/],
  },
]);

suite("keys that would reach a prototype", [
  ...["__proto__", "constructor", "prototype"].flatMap((key): Mistake[] => [
    {
      title: `${key} in --cfg`,
      files: { ...input, "base.yaml": `task:\n  ${key}: {polluted: 1}\n` },
      args: [...shout, "--cfg", "base.yaml"],
      says: [key, /base\.yaml:2:3/],
    },
    {
      title: `${key} in --mixin-cfg`,
      files: { ...input, "site.yaml": `input_mode:\n  ${key}: {polluted: 1}\n` },
      args: [...shout, "--mixin-cfg", "site.yaml"],
      says: [key, /site\.yaml:2:3/],
    },
    {
      title: `${key} in --mixin`,
      files: input,
      args: [...shout, "--mixin", `input_mode.${key}.polluted=1`],
      says: [key, /--mixin/],
    },
    {
      title: `${key} in the value of --mixin`,
      files: input,
      args: [...shout, "--mixin", `input_mode={${key}: {polluted: 1}}`],
      says: [key, /--mixin/],
    },
  ]),
  {
    title: "__proto__ in the mixin section of --cfg",
    files: { ...input, "base.yaml": "mixin:\n  __proto__: {polluted: 1}\n" },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/__proto__/, /base\.yaml:2:3/],
  },
  {
    title: "__proto__ behind a merge key",
    files: { ...input, "base.yaml": "x: &x {__proto__: {polluted: 1}}\nmixin:\n  input_mode:\n    <<: *x\n" },
    args: [...shout, "--cfg", "base.yaml"],
    says: [/__proto__/],
  },
]);

suite("flags", [
  {
    title: "an unknown flag is told with the nearest one and its owner",
    files: plain,
    args: ["task.ts", "MyTask", "--retires", "3"],
    says: [/unknown flag --retires/, /Did you mean --retries, a flag of kagurazaka/],
  },
  {
    title: "an unknown flag near one of the backbone says so",
    files: plain,
    args: ["task.ts", "MyTask", "--num-proces", "3"],
    says: [/unknown flag --num-proces/, /--num_process, a flag of the backbone mp/],
  },
  {
    title: "an unknown flag near one of the task says so",
    files: {},
    args: [sampleTask, "--plan", "x", "--journal", "y", "--jurnal", "z"],
    says: [/unknown flag --jurnal/, /--journal, a flag of the task sample/],
  },
  {
    title: "a flag without its value says so",
    files: plain,
    args: ["task.ts", "MyTask", "--limit"],
    says: [/--limit needs a value/],
  },
  {
    title: "an unexpected argument is named",
    files: plain,
    args: ["task.ts", "MyTask", "--durable", "--json", "MyTask2"],
    says: [/unexpected argument "MyTask2"/],
  },
  ...(
    [
      ["--limit", "many", /whole number|integer/],
      ["--limit", "-1", /-1/],
      ["--limit", "1.5", /1\.5/],
      ["--retries", "1e99", /1e99/],
      ["--timeout", "soon", /duration|60s|500ms/],
      ["--timeout", "0", /0/],
      ["--grace", "5 lightyears", /5 lightyears/],
      ["--max-heap", "much", /much/],
      ["--num-process", "0", /number of workers/],
      ["--concurrency", "none", /none/],
      ["--chunksize", "0", /a whole number from 1 to 100000, or auto/],
      ["--shard", "2/2", /i\/N/],
      ["--sample", "101%", /1%/],
      ["--rate", "0/s", /rate above 0/],
      ["--backoff", "60s:1s", /two durations/],
      ["--max-failures", "lots", /none/],
      ["--progress", "loud", /auto/],
      ["--log-format", "xml", /pretty/],
      ["--seed", "abc", /abc/],
      ["--keys", "no-such-file", /no-such-file/],
    ] as const
  ).map(
    ([flag, value, wanted]): Mistake => ({
      title: `${flag} ${value}`,
      files: plain,
      args: ["task.ts", "MyTask", flag, value],
      says: [flag, wanted],
    }),
  ),
  {
    title: "several mistakes are reported together",
    files: plain,
    args: ["task.ts", "MyTask", "--limit", "x", "--retires", "1", "--timeout", "y"],
    says: [/--limit/, /--retires/, /--timeout/],
  },
  {
    title: "a bad value in a file is told with its line",
    files: { ...plain, "base.yaml": "backbone:\n  backbone: inline\n  retries: often\n" },
    args: ["task.ts", "MyTask", "--cfg", "base.yaml"],
    says: [/retries/, /often/, /base\.yaml:3:12/],
  },
  {
    title: "an unknown backbone is told with those there are",
    files: plain,
    args: ["task.ts", "MyTask", "--backbone", "inlien"],
    says: [/no backbone "inlien"/, /Did you mean "inline"/, /mp/],
  },
  {
    title: "a backbone file that exports none says what to write",
    files: { ...plain, "bone.ts": "export default {};\n" },
    args: ["task.ts", "MyTask", "--backbone", "./bone.ts"],
    says: [/the default export of .* is not a backbone/, /defineBackbone/],
  },
  {
    title: "a required option of the task that is left out is named",
    args: [sampleTask, "--plan", "x"],
    says: [/journal/],
  },
  {
    title: "a choice that is none is told with the choices",
    args: [sampleTask, "--plan", "x", "--journal", "y", "--setup", "wel"],
    says: [/setup/, /well/, /throw/],
  },
]);

suite("directories", [
  {
    title: "an input root that is missing is named with what is there",
    args: shout,
    says: [/input root .*in does not exist/, /hard_shard_mode\.input_path/, /exists; the last name is missing/],
  },
  { title: "an input root that is a file is told", files: { in: "" }, args: shout, says: [/is not a directory/] },
  {
    title: "an output root that is a file cannot be written",
    files: { ...input, out: "" },
    args: shout,
    says: [/cannot write to .*out/, /not a directory/, /hard_shard_mode\.output_path/],
  },
  {
    title: "an output root below a file cannot be made",
    files: { ...input, out: "" },
    args: [files, "Shout", "--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out/deep/er"],
    says: [/cannot write to .*out\/deep\/er: .*out is not a directory/],
  },
  {
    title: "a run directory below a file cannot be written",
    files: { ...input, state: "" },
    args: [...shout, "--run-dir", "state"],
    says: [/cannot write to .*state/, /--run-dir/],
  },
  {
    title: "outputs that would replace their inputs are refused",
    files: input,
    args: [
      files,
      "Shout",
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=in",
      "output_mode.ext=",
    ],
    says: [/would replace an input of its name/],
  },
]);

suite("commands", [
  {
    title: "explain without a key says how it is called",
    args: ["explain"],
    says: [/explain needs KEY and a task/, /kagurazaka explain KEY TASK_FILE/],
  },
  {
    title: "export-inputs without a task says how it is called",
    args: ["export-inputs", "x.jsonl"],
    says: [/export-inputs needs a task/, /kagurazaka export-inputs/],
  },
  {
    title: "init over existing files replaces nothing",
    files: plain,
    args: ["init"],
    says: [/task\.ts already exists/, /nothing was written/],
  },
  {
    title: "init with a flag it does not know says so",
    args: ["init", "--here"],
    says: [/unknown flag --here/, /kagurazaka init -h/],
  },
]);
