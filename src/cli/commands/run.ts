import { constants } from "node:os";
import { KagurazakaError } from "../../base/errors.js";
import { escapeControls } from "../../base/text.js";
import { inputFromArgv } from "../../config/raw-input.js";
import type { UiSettings } from "../../config/run-options.js";
import { isFleetBackbone } from "../../contracts/backbone.js";
import type { RunHooks } from "../../contracts/run-hooks.js";
import { displayPath } from "../../loader/paths.js";
import { loadOwners, prepareLoaded } from "../../runner/prepare/prepare-run.js";
import type { PreparedRun } from "../../runner/prepare/prepared-run.js";
import { startRun } from "../../runner/run/open-run.js";
import type { Run } from "../../runner/run/run.js";
import type { RunResult } from "../../runner/run/run-result.js";
import { captureOutput } from "../capture-output.js";
import { createConsole, type RunConsole } from "../console.js";
import { formatError } from "../print-error.js";
import { formatHeader, formatReport, nextCommand } from "../report.js";
import { withFlags } from "../words.js";

/** `kagurazaka task.ts MyTask …` */
export async function run(argv: readonly string[]): Promise<number> {
  const said = inputFromArgv(argv);
  if (said.line?.help || said.line?.version || argv.length === 0)
    return (await import("../help.js")).printHelp(said, argv);
  const owners = await loadOwners(said);
  const asked = owners.peek.ui.debugItem;
  if (asked !== undefined) return debugItem(argv, asked);
  const prepared = await prepareLoaded(said, owners);
  const { ui } = prepared.config;
  if (ui.showConfig) {
    const { formatShowConfig } = await import("../overview.js");
    process.stdout.write(formatShowConfig(prepared.config));
    return 0;
  }
  if (prepared.config.run.dryRun) {
    const { dryRun } = await import("../../runner/tools/preview/dry-run.js");
    const { formatDryRun } = await import("../overview.js");
    const said = new Set<string>();
    const found = await dryRun(prepared, (message) => {
      said.add(message);
      process.stderr.write(`warning ${escapeControls(message)}\n`);
    });
    const unsaid = found.warnings.filter((message) => !said.has(message));
    process.stdout.write(ui.json ? `${JSON.stringify(found)}\n` : formatDryRun({ ...found, warnings: unsaid }));
    return 0;
  }
  return execute(prepared, ui, argv);
}

/** One item in this process, whatever is recorded of it: for a debugger, or to see its error in full. */
async function debugItem(argv: readonly string[], key: string): Promise<number> {
  const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  const { join } = await import("node:path");
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-"));
  try {
    writeFileSync(join(dir, "key"), `${key}\n`);
    const words = withoutFlag(argv, "debug-item");
    const flags = [
      "--backbone",
      "inline",
      "--keys",
      join(dir, "key"),
      "--force",
      "new",
      "--limit",
      "1",
      "--retries",
      "0",
      "--progress",
      "none",
    ];
    const said = inputFromArgv(withFlags(words, flags));
    const prepared = await prepareLoaded(said, await loadOwners(said));
    const { explainItem } = await import("../../runner/tools/preview/explain.js");
    const { verdict, steps } = await explainItem(prepared, key);
    if (verdict === "is not listed") {
      throw new KagurazakaError("usage", `no item has the key ${JSON.stringify(key)}: ${steps[0]?.says}`, {
        where: "--debug-item",
      });
    }
    return await execute(prepared, prepared.config.ui, argv);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function withoutFlag(argv: readonly string[], name: string): string[] {
  const at = argv.findIndex(
    (word) =>
      word
        .replace(/_/g, "-")
        .replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
        .split("=")[0] === `--${name}`,
  );
  return argv.filter((_, i) => i !== at && !(i === at + 1 && !argv[at]!.includes("=")));
}

async function execute(prepared: PreparedRun, ui: UiSettings, argv: readonly string[]): Promise<number> {
  const screen = await createConsole(ui);
  const { palette } = screen;
  for (const note of prepared.config.notes) screen.note(note);
  if (prepared.config.run.timeout !== undefined && !isFleetBackbone(prepared.backbone) && !prepared.backbone.killable) {
    screen.warn(`${prepared.backbone.name} cannot stop a loop that blocks: --timeout only fires ctx.signal`);
  }
  let running: Run | undefined;
  const releaseOutput = captureOutput((key, text) => (running ? running.print(key, text) : screen.print(key, text)));
  const hooks: RunHooks = {
    onStart: (info) => screen.text(formatHeader(info, displayPath(prepared.sourcePath), palette)),
    onFirstFailure: (name, key, error) => screen.failure(name, key, error),
    onPrint: (key, text) => screen.print(key, text),
    onLog: (key, level, message, fields) => screen.log(key, level, message, fields),
    onWarning: (message) => screen.warn(message),
    onRetry: (key, attempt, error, delayMs) => screen.retry(key, attempt, error, delayMs),
  };
  let releaseSignals = (): void => {};
  try {
    const started = await startRun(prepared, hooks);
    running = started;
    const interrupted = handleSignals(started, screen, prepared.config.run.grace);
    releaseSignals = interrupted.release;
    await screen.begin(() => started.snapshot());
    const result = await started.result;
    const signal = interrupted.signal();
    const exitCode = signal === undefined ? result.exitCode : 128 + constants.signals[signal];
    screen.end();
    releaseOutput();
    showEnd(result, { ...ui, exitCode, argv }, screen);
    return exitCode;
  } finally {
    screen.end();
    releaseSignals();
    releaseOutput();
  }
}

interface End extends UiSettings {
  readonly exitCode: number;
  readonly argv: readonly string[];
}

function showEnd(result: RunResult, end: End, screen: RunConsole): void {
  screen.text(formatReport(result, screen.palette));
  if (result.error) screen.text(formatError(result.error, screen.palette));
  const next = nextCommand(result, end.argv);
  if (next !== undefined) screen.text(`  ${screen.palette.cyan("→")} ${next}`);
  if (!end.json) return;
  const { run: id, task, backbone, counts, elapsedMs, itemsPerSecond, outputRoot, runDir } = result;
  process.stdout.write(
    `${JSON.stringify({ run: id, task, backbone, counts, elapsedMs, itemsPerSecond, outputRoot, runDir, exitCode: end.exitCode })}\n`,
  );
}

/** The first signal drains, the second ends at once; both can be resumed. */
function handleSignals(
  run: Run,
  screen: RunConsole,
  graceMs: number,
): { signal(): NodeJS.Signals | undefined; release(): void } {
  let first: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first !== undefined) return run.kill();
    first = signal;
    const { inFlight, waiting, listed } = run.snapshot();
    screen.warn(
      listed && inFlight + waiting === 0
        ? `${signal}: no item is left to finish; ending`
        : `${signal}: letting up to ${inFlight} items finish (at most ${graceMs / 1000} s); once more to end now`,
    );
    run.drain(undefined, graceMs);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: () => first,
    release() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
