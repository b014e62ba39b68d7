import { closeSync, openSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import {
  defineOptions,
  FinishCheckByOutputFileExistence,
  InputByGlob,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByTemplate,
  PermanentError,
  type RunPlan,
  type TaskContext,
} from "kagurazaka";
import { Captures } from "./exec/captures.js";
import { checkWords, isOutputName } from "./exec/check-words.js";
import { commandId } from "./exec/command-id.js";
import { type Ending, programFailure, startFailure } from "./exec/failure.js";
import { checkProgram, oneWord } from "./exec/find-program.js";
import { Mistake } from "./exec/mistake.js";
import { runProgram } from "./exec/run-program.js";
import { type ExecItem, findValue, isFile } from "./exec/values.js";
import { fillWord, namesIn, parseWord, type Word } from "./exec/words.js";

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
    choices: ["none", "input", "line"],
    default: "none",
    help: "what standard input is: input = the input file, line = the line of text",
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
    // An item that has not settled 2 s after it was told to costs its worker.
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

  readonly #captures = new Captures();
  readonly #env = { ...process.env };
  #words: readonly Word[] = [];
  #cwd: Word | undefined;
  #namesOutput = false;
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
    this.#okCodes = codesOf(this.options.okCodes);
    this.#permanentCodes = codesOf(this.options.permanentCodes);
  }

  async process(item: ExecItem, ctx: TaskContext): Promise<void> {
    const value = (name: string): string => findValue(name, item, ctx);
    const argv = this.#words.map((word) => fillWord(word, value));
    const cwd = this.#cwd && fillWord(this.#cwd, value);
    const stdoutTo = this.#stdoutOf(item);
    const opened: number[] = [];
    const open = (path: string, mode: "r" | "w"): number => {
      const fd = openSync(path, mode);
      opened.push(fd);
      return fd;
    };
    const stderr = this.#captures.take();
    const shown = stdoutTo === "log" ? this.#captures.take() : undefined;
    try {
      const stdin = this.#stdinOf(item, open);
      const stdout = shown ?? (stdoutTo === "output" ? open((item.output as { path: string }).path, "w") : "ignore");
      const call = { argv, cwd, env: this.#env, stdin: stdin.text, killAfterMs: this.options.killAfter };
      let ending: Ending;
      try {
        ending = await runProgram({ ...call, stdio: [stdin.stream, stdout, stderr] }, ctx);
      } catch (cause) {
        throw startFailure(argv[0]!, cause);
      }
      if (shown !== undefined) show(this.#captures.read(shown, SHOWN_BYTES), process.stdout);
      this.#judge(argv[0]!, ending, stderr);
    } finally {
      for (const fd of opened) closeSync(fd);
      for (const fd of [stderr, shown]) if (fd !== undefined) this.#captures.give(fd);
    }
  }

  override teardown(): void {
    this.#captures.close();
  }

  #stdoutOf(item: ExecItem): "output" | "log" | "none" {
    const { stdoutTo } = this.options;
    if (stdoutTo !== "auto") return stdoutTo;
    return isFile(item.output) && !this.#namesOutput ? "output" : "log";
  }

  #stdinOf(
    item: ExecItem,
    open: (path: string, mode: "r") => number,
  ): { stream: number | "ignore" | "pipe"; text?: string } {
    const { stdin } = this.options;
    if (stdin === "input" && isFile(item.input)) return { stream: open(item.input.path, "r") };
    if (stdin === "line" && typeof item.line === "string") return { stream: "pipe", text: `${item.line}\n` };
    if (stdin === "none") return { stream: "ignore" };
    throw new PermanentError(`--stdin ${stdin}: this item has none`);
  }

  #judge(program: string, ending: Ending, stderr: number): void {
    const fine = ending.code !== null && this.#okCodes.has(ending.code);
    const said = this.#captures.read(stderr, fine ? SHOWN_BYTES : KEPT_STDERR_BYTES);
    if (!fine) {
      const permanent = ending.code !== null && this.#permanentCodes.has(ending.code);
      throw programFailure(program, ending, said.text, permanent);
    }
    if (this.options.stderr === "log") show(said, process.stderr);
  }
}

/** In the worker, what is printed is the item's: it goes to the run's log and above the bar, with its key. */
function show({ text, leftOut }: { text: string; leftOut: number }, stream: NodeJS.WriteStream): void {
  if (text === "") return;
  const before = leftOut === 0 ? "" : `… (${leftOut} bytes before)\n`;
  stream.write(`${before}${text}${text.endsWith("\n") ? "" : "\n"}`);
}

const codesOf = (codes: number | readonly number[] | undefined): ReadonlySet<number> =>
  new Set(codes === undefined ? [] : typeof codes === "number" ? [codes] : codes);
