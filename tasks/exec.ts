import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import {
  type Captured,
  defineOptions,
  FinishCheckByOutputFileExistence,
  InputByGlob,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByTemplate,
  PermanentError,
  type ProgramEnd,
  type ProgramOptions,
  type RunPlan,
  stringifyJson,
  type TaskContext,
} from "kagurazaka";
import { checkWords, isOutputName, scriptsIn } from "./exec/check-words.js";
import { commandId } from "./exec/command-id.js";
import { programFailure, startFailure } from "./exec/failure.js";
import { checkProgram, oneWord } from "./exec/find-program.js";
import { Mistake } from "./exec/mistake.js";
import { type ExecItem, findField, findValue, isFile } from "./exec/values.js";
import { fillWord, namesIn, namesItem, parseWord, type Word } from "./exec/words.js";

const options = defineOptions({
  stdoutTo: {
    type: "string",
    choices: ["auto", "output", "log", "none"],
    default: "auto",
    help: "where standard output goes: output = the output file, log = shown with the item's key, none. auto = output where there is one and no word names it, else log",
  },
  stderr: {
    type: "string",
    choices: ["log", "none"],
    default: "log",
    help: "whether what programs that succeed say on standard error is shown; of those that fail it is always kept",
  },
  stdin: {
    type: "string",
    choices: ["auto", "none", "input", "line"],
    default: "auto",
    help: "what standard input is: input = the input file, line = the line of text. auto = none where a word names the item; else the file, the line, or the record as JSON",
  },
  okCodes: { type: "integers", default: 0, min: 0, max: 255, help: "exit codes that mean success: 0,1" },
  permanentCodes: {
    type: "integers",
    min: 0,
    max: 255,
    help: "exit codes after which no further try is worth it (default: none)",
  },
  cwd: {
    type: "string",
    help: "working directory of the program; {tmp} is one of its own for each try (default: this one)",
  },
  killAfter: {
    type: "duration",
    default: "1s",
    min: 0,
    // An item that has not settled 2 s after its signal costs its worker.
    max: 1500,
    help: "from SIGTERM to SIGKILL, when an item runs out of time",
  },
});

const KEPT_STDERR_BYTES = 4096;
const SHOWN_BYTES = 65_536;

/**
 * Any program, once per item; the words after `--`, and never a shell:
 *
 *   kagurazaka @exec --in photos --out small -- convert {} -resize 50% {output.path}
 *   kagurazaka @exec --in logs --out packed --mixin output_mode.ext=.gz -- gzip -c {}
 *   kagurazaka @exec --lines urls.txt --mixin input_mode.as=text --out pages -- curl -sf {line}
 *
 * `{}` is the input's path, or the line; {input.path} {input.rel_dir} {input.file_name} {stem} {ext} {output.path}
 * {output.final_path} {key} {attempt} {tmp}, and any field of a record: {url}. A word stays one word whatever is filled in.
 * Where no word names the item, the program gets it on standard input: gzip -c.
 * Paths are absolute; a line or a field may begin with `-`, so put `--` before it where the program knows that.
 *
 * Without --out there are no outputs, and the ledger tells what is finished.
 */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByGlob({ globPattern: "**/*" }),
  outputMode: OutputByTemplate({ pattern: "{rel_dir}/{stem}{ext}" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
  outputsOptional: true,
})
export default class Exec extends KagurazakaTask<ExecItem, typeof options> {
  static id = "exec";
  static help =
    "Any program once per item, without a shell: kagurazaka @exec --in photos --out small -- convert {} -resize 50% {output.path}. " +
    "{} is the input's path or the line; also {input.path} {output.path} {stem} {ext} {key} {line} {tmp} and any field of a record.";
  static options = options;
  static idFor = commandId;
  // One worker starts all programs: it only waits for them.
  static defaults = { num_process: 1, concurrency: availableParallelism() };

  #words: readonly Word[] = [];
  #cwd: Word | undefined;
  #namesOutput = false;
  /** No word names the item, so it comes on standard input. */
  #isFilter = false;
  #scripts: ReadonlySet<Word> = new Set();
  #okCodes: ReadonlySet<number> = new Set();
  #permanentCodes: ReadonlySet<number> = new Set();

  override check(plan: RunPlan): void {
    this.setup();
    const [program, ...words] = this.#words;
    if (!program)
      throw new Mistake("no command was given", "It stands behind --: kagurazaka @exec --in in -- wc -l {}");
    if (words.length === 0 && /\s/.test(program.text)) throw oneWord(program.text);
    checkWords([program, ...words, ...(this.#cwd ? [this.#cwd] : [])], plan);
    const { stdoutTo, stdin } = this.options;
    const file = plan.outputs.find(({ field, type }) => field === "output" && type === "file");
    if (stdoutTo === "output" && !file)
      throw new Mistake("--stdout-to output needs one output file for each item", "Say --out DIR.");
    if (plan.outputs.length > 0 && !this.#namesOutput && (stdoutTo === "log" || stdoutTo === "none" || !file))
      throw new Mistake(
        "nothing would write the outputs",
        "Name {output.path} in the command, or say --stdout-to output.",
      );
    if (stdin === "input" && plan.inputMode?.yields === "record")
      throw new Mistake("--stdin input: these items are records, not files", "For lines of text: --stdin line.");
    if (stdin === "line" && plan.inputMode?.yields === "file")
      throw new Mistake("--stdin line: these items are files, not lines", "For files: --stdin input.");
    const cwd = this.#cwd && namesIn(this.#cwd).length > 0 ? undefined : resolve(this.options.cwd ?? ".");
    if (namesIn(program).length === 0 && (cwd !== undefined || !program.text.includes("/")))
      checkProgram(fillWord(program, String), cwd ?? ".");
  }

  override setup(): void {
    this.#words = this.rawArgs.map(parseWord);
    this.#cwd = this.options.cwd === undefined ? undefined : parseWord(this.options.cwd);
    this.#namesOutput = this.#words.some((word) => namesIn(word).some(isOutputName));
    this.#isFilter = !namesItem(this.#words);
    this.#scripts = scriptsIn(this.#words);
    this.#okCodes = codesOf(this.options.okCodes);
    this.#permanentCodes = codesOf(this.options.permanentCodes);
  }

  async process(item: ExecItem, ctx: TaskContext): Promise<void> {
    const value = (name: string): string => findValue(name, item, ctx);
    const field = (name: string): string | undefined => findField(name, item, ctx);
    const argv = this.#words.map((word) => fillWord(word, value, this.#scripts.has(word) ? undefined : field));
    const cwd = this.#cwd && fillWord(this.#cwd, value, field);
    const stdoutTo = this.#stdoutOf(item);
    const out = (): { path: string } => ({ path: (item.output as { path: string }).path });
    let end: ProgramEnd;
    try {
      end = await ctx.runProgram(argv[0]!, argv.slice(1), {
        cwd,
        stdin: this.#stdinOf(item, argv),
        stdout: stdoutTo === "log" ? "capture" : stdoutTo === "output" ? out() : "none",
        keepBytes: SHOWN_BYTES,
        killAfterMs: this.options.killAfter,
      });
    } catch (cause) {
      throw isOfFile(cause) ? cause : startFailure(argv[0]!, cause);
    }
    show(end.stdout, process.stdout);
    this.#judge(argv[0]!, end);
  }

  #stdoutOf(item: ExecItem): "output" | "log" | "none" {
    const { stdoutTo } = this.options;
    if (stdoutTo !== "auto") return stdoutTo;
    return isFile(item.output) && !this.#namesOutput ? "output" : "log";
  }

  #stdinOf(item: ExecItem, argv: readonly string[]): ProgramOptions["stdin"] {
    const { stdin } = this.options;
    if (stdin === "auto") {
      // A field whose name is no plain one was filled in.
      if (!this.#isFilter || argv.some((word, i) => word !== this.#words[i]!.text)) return "none";
      if (isFile(item.input)) return { path: item.input.path };
      return { text: `${typeof item.line === "string" ? item.line : stringifyJson(recordOf(item))}\n` };
    }
    if (stdin === "input" && isFile(item.input)) return { path: item.input.path };
    if (stdin === "line" && typeof item.line === "string") return { text: `${item.line}\n` };
    if (stdin === "none") return "none";
    throw new PermanentError(`--stdin ${stdin}: this item has none`);
  }

  #judge(program: string, { code, signal, stderr }: ProgramEnd): void {
    if (code === null || !this.#okCodes.has(code)) {
      const permanent = code !== null && this.#permanentCodes.has(code);
      throw programFailure(program, { code, signal }, endOf(stderr.text, KEPT_STDERR_BYTES), permanent);
    }
    if (this.options.stderr === "log") show(stderr, process.stderr);
  }
}

/** The fields of the record, without the outputs. */
const recordOf = (item: ExecItem): object =>
  Object.fromEntries(Object.entries(item).filter(([, value]) => !isFile(value)));

/** Whether the input or the output could not be opened: the program was not started. */
const isOfFile = (cause: unknown): boolean => (cause as NodeJS.ErrnoException).syscall === "open";

function endOf(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  let from = Math.max(0, whole.length - bytes);
  while (from > 0 && from < whole.length && (whole[from]! & 0xc0) === 0x80) from++;
  return whole.toString("utf8", from);
}

/** In a worker, what an item prints goes to the run's log and above the progress bar, with its key. */
function show({ text, leftOut }: Captured, stream: NodeJS.WriteStream): void {
  if (text === "") return;
  const before = leftOut === 0 ? "" : `… (${leftOut} bytes before)\n`;
  stream.write(`${before}${text}${text.endsWith("\n") ? "" : "\n"}`);
}

const codesOf = (codes: number | readonly number[] = []): ReadonlySet<number> => new Set([codes].flat());
