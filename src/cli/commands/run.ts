import { constants } from "node:os";
import { KagurazakaError } from "../../base/errors.js";
import { escapeControls } from "../../base/text.js";
import { runSyntax } from "../../config/command-line.js";
import { type RawInput, withSettings } from "../../config/raw-input.js";
import type { UiSettings } from "../../config/run-options.js";
import { isFleetBackbone } from "../../contracts/backbone.js";
import type { RunHooks } from "../../contracts/run-hooks.js";
import { displayPath } from "../../loader/paths.js";
import { loadOwners, prepareLoaded, prepareRun } from "../../runner/prepare/prepare-run.js";
import type { PreparedRun } from "../../runner/prepare/prepared-run.js";
import { startRun } from "../../runner/run/open-run.js";
import type { Run } from "../../runner/run/run.js";
import type { RunResult } from "../../runner/run/run-result.js";
import { captureOutput } from "../capture-output.js";
import { defineCommand } from "../command.js";
import { createConsole, type RunConsole } from "../console.js";
import { shownWords } from "../format-command.js";
import { isHangupIgnored } from "../hangup.js";
import { ending, hardExit } from "../hard-exit.js";
import { messages } from "../message-out.js";
import { formatError } from "../messages.js";
import { formatDryRun, formatHeader, formatReport, formatShowConfig, nextCommand } from "../report.js";
import { attach, detach, findRunning, notOnFleet, openControlOf, WorkerBeside } from "../run-on-fleet.js";
import { dataOut, printJson } from "../stdout.js";

/** `kagurazaka task.ts MyTask …`: the command without a name. */
export const command = defineCommand({
  ...runSyntax,
  help: "Runs a task over its items and skips what is finished.",
  async run({ run: input, runArgv }) {
    const owners = await loadOwners(input);
    const { debugItem } = owners.peek.ui;
    const prepared = debugItem === undefined ? await prepareLoaded(input, owners) : await prepareForOne(input);
    const { ui } = prepared.config;
    if (ui.showConfig) {
      dataOut().write(formatShowConfig(prepared.config));
      return 0;
    }
    for (const [flag, isGiven] of [
      ["--with_worker", ui.withWorker],
      ["--detach", ui.detach],
    ] as const)
      if (isGiven && !isFleetBackbone(prepared.backbone)) throw notOnFleet(flag, prepared);
    const chosen = debugItem === undefined ? prepared : await onlyItem(prepared, debugItem);
    return prepared.config.run.dryRun
      ? showDryRun(chosen, ui)
      : execute(chosen, ui, {
          words: runArgv,
          task: [owners.peek.taskFile, owners.peek.exportName].flatMap((word) => word ?? []),
        });
  },
});

/** A run that has the lease of its root is known to the fleet so soon. */
const KNOWN_WITHIN_MS = 10_000;

/** How the run was given. */
interface Given {
  readonly words: readonly string[];
  /** The words that name the task. */
  readonly task: readonly string[];
}

async function showDryRun(prepared: PreparedRun, { json }: UiSettings): Promise<number> {
  const { dryRun } = await import("../../runner/tools/preview/dry-run.js");
  const shown = new Set<string>();
  const onWarning = (message: string): void => {
    shown.add(message);
    messages.write(`warning ${escapeControls(message)}\n`);
  };
  const found = await dryRun(prepared, { onWarning });
  const warnings = found.warnings.filter((message) => !shown.has(message));
  if (json) printJson(found);
  else dataOut().write(formatDryRun({ ...found, warnings }));
  return 0;
}

/** One item in this process, finished or not: for a debugger, or to see its error in full. */
function prepareForOne(input: RawInput): ReturnType<typeof prepareRun> {
  const settings = { backbone: "inline", force: "new", limit: 1, retries: 0, progress: "none" };
  return prepareRun(withSettings(input, settings, "--debug-item"));
}

async function onlyItem(prepared: PreparedRun, key: string): Promise<PreparedRun> {
  const { config } = prepared;
  // Not by a file of keys: a key may hold a line break.
  const one = { ...prepared, config: { ...config, run: { ...config.run, keys: [key] } } };
  const { explainItem } = await import("../../runner/tools/preview/explain.js");
  const { verdict, steps } = await explainItem(one, key);
  if (verdict !== "is not listed") return one;
  const message = `no item has the key ${JSON.stringify(key)}: ${steps[0]?.says}`;
  throw new KagurazakaError("usage", message, { where: "--debug-item" });
}

async function execute(prepared: PreparedRun, ui: UiSettings, given: Given): Promise<number> {
  try {
    return await coordinate(prepared, ui, given);
  } catch (error) {
    const isTaken = isFleetBackbone(prepared.backbone) && KagurazakaError.is(error) && error.code === "root-in-use";
    // Two starts at once: the other one was faster, and its run is not known to the fleet yet.
    const ended = isTaken ? await onFleet(prepared, ui, given, createConsole(ui), KNOWN_WITHIN_MS) : undefined;
    if (ended === undefined) throw error;
    return ended;
  }
}

async function coordinate(prepared: PreparedRun, ui: UiSettings, given: Given): Promise<number> {
  const screen = createConsole(ui);
  const { palette } = screen;
  if (isFleetBackbone(prepared.backbone)) {
    const ended = await onFleet(prepared, ui, given, screen);
    if (ended !== undefined) return ended;
  }
  for (const note of prepared.config.notes) screen.note(note);
  if (prepared.config.run.timeout !== undefined && !isFleetBackbone(prepared.backbone) && !prepared.backbone.killable) {
    screen.warn(`${prepared.backbone.name} cannot stop a loop that blocks: --timeout only fires ctx.signal`);
  }
  if (process.pid === 1)
    screen.note(
      "this is process 1 of its container, and does not reap the children of programs that have ended: use an init (docker run --init)",
    );
  let running: Run | undefined;
  const releaseOutput = captureOutput((key, text) => (running ? running.print(key, text) : screen.print(key, text)));
  const hooks: RunHooks = {
    onStart: (info) => screen.text(formatHeader(info, displayPath(prepared.sourcePath), palette)),
    onFirstFailure: screen.failure,
    onPrint: screen.print,
    onLog: screen.log,
    onWarning: screen.warn,
    ...(screen.retry ? { onRetry: screen.retry } : {}),
  };
  let releaseSignals = (): void => {};
  const beside = ui.withWorker ? new WorkerBeside(given.task, prepared, screen) : undefined;
  try {
    const started = await startRun(prepared, hooks);
    running = started;
    const interrupted = handleSignals(started, screen, prepared.config.run.grace);
    releaseSignals = interrupted.release;
    screen.begin(() => started.snapshot());
    const result = await started.result;
    const signal = interrupted.signal();
    const exitCode = signal === undefined ? result.exitCode : 128 + constants.signals[signal];
    screen.end();
    releaseOutput();
    await beside?.[Symbol.asyncDispose]();
    showEnd(result, shownWords(given.words, prepared.config.entries), screen, signal !== undefined);
    ending.isHard = result.blockedThreads > 0;
    if (ui.json) printJson(summaryOf(result, exitCode), { owed: true });
    return exitCode;
  } finally {
    screen.end();
    releaseSignals();
    releaseOutput();
    await beside?.[Symbol.asyncDispose]();
  }
}

/** The object of `--json`. `amounts` only where items have counted something. */
function summaryOf(result: RunResult, exitCode: number): object {
  const { run, task, backbone, counts, elapsedMs, itemsPerSecond, outputRoot, runDir } = result;
  const { amounts } = result.stats;
  const counted = Object.keys(amounts).length > 0 ? { amounts } : {};
  return { run, task, backbone, counts, ...counted, elapsedMs, itemsPerSecond, outputRoot, runDir, exitCode };
}

/** Where the run goes on without this process, or does so already. Undefined: this process is to coordinate it. */
async function onFleet(
  prepared: PreparedRun,
  ui: UiSettings,
  { words }: Given,
  screen: RunConsole,
  waitMs = 0,
): Promise<number | undefined> {
  if (ui.detach) {
    const run = await detach(
      words.filter((word) => !/^--detach(?:=|$)/.test(word)),
      prepared,
      screen,
    );
    if (ui.json) printJson({ run }, { owed: true });
    else dataOut().write(`${run}\n`);
    return 0;
  }
  await using control = await openControlOf(prepared);
  const running = control && (await findRunning(control, prepared, waitMs));
  const ended = running && (await attach(control, running, screen));
  if (!ended) return undefined;
  const { run, task, report } = ended;
  if (ui.json) printJson({ run, task, counts: report?.counts, exitCode: report?.exitCode }, { owed: true });
  return report?.exitCode ?? 1;
}

function showEnd(
  result: RunResult,
  argv: readonly string[],
  { text, palette }: RunConsole,
  wasSignalled: boolean,
): void {
  text(formatReport(result, palette));
  if (result.blockedThreads > 0)
    text(
      `  ${palette.yellow("left")}      ${result.blockedThreads} worker thread${result.blockedThreads === 1 ? "" : "s"}, blocked in a native call; --isolation process can end such a worker`,
    );
  // A signal was said when it came.
  if (result.error && !(result.error.code === "interrupted" && wasSignalled)) text(formatError(result.error, palette));
  const next = nextCommand(result, argv);
  if (next !== undefined) text(`  ${palette.cyan("→")} ${next}`);
}

/** After the second signal, the end may take so long. */
const END_WITHIN_MS = 3000;

/** The first signal drains, the second ends at once; both can be resumed. */
function handleSignals(run: Run, screen: RunConsole, graceMs: number) {
  let first: NodeJS.Signals | undefined;
  let isKilled = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = signal;
      screen.warn(`${signal}: ${whatNow(run, graceMs)}`);
      return run.drain(undefined, graceMs);
    }
    // A terminal that closes may send several.
    if (signal === "SIGHUP") return;
    const end = (): void => hardExit(128 + constants.signals[first!]);
    if (isKilled) return end();
    isKilled = true;
    run.kill();
    setTimeout(() => {
      screen.warn("something does not end, and is not waited for; what was recorded is kept");
      end();
    }, END_WITHIN_MS).unref();
  };
  const signals: NodeJS.Signals[] = isHangupIgnored() ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: (): NodeJS.Signals | undefined => first,
    release(): void {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

function whatNow(run: Run, graceMs: number): string {
  const { inFlight, waiting, listed } = run.snapshot();
  const most = `at most ${graceMs / 1000} s; once more to end now`;
  if (run.isFinishing) return `no item is left to finish; ending (${most})`;
  if (listed && inFlight + waiting === 0) return "no item is left to finish; ending";
  return `letting up to ${inFlight} items finish (${most})`;
}
