import { escapeControls, shortCount, shortRate } from "../../base/text.js";
import { readCommandOptions } from "../../config/command-options.js";
import type { SplitHooks, SplitResult } from "../../runner/tools/split/split.js";
import { createPalette } from "../palette.js";
import { splitPage } from "../split/page.js";
import { formatSplit } from "../split/report.js";

/** `kagurazaka split INPUT_DIR --into BASE_DIR --shards 10`: an input tree as hard shards. */
export async function split(argv: readonly string[]): Promise<number> {
  const said = readCommandOptions(splitPage, argv);
  if (!said) {
    const { renderCommandHelp } = await import("../../config/help.js");
    process.stdout.write(renderCommandHelp(splitPage, { width: Math.min(120, process.stdout.columns ?? 100) }));
    return 0;
  }
  const { dryRun, json, ...values } = said.values;
  const palette = createPalette(process.stderr);
  for (const note of said.notes) process.stderr.write(`${palette.dim("note")} ${escapeControls(note)}\n`);
  const { splitTree } = await import("../../runner/tools/split/split.js");
  const progress = createProgress(process.stderr);
  let result: SplitResult;
  try {
    result = await splitTree({ ...values, input: said.words[0]! }, { dryRun, onProgress: progress.show });
  } finally {
    progress.end();
  }
  const report = formatSplit(result, { dryRun, by: values.by }, dryRun ? createPalette(process.stdout) : palette);
  if (json) process.stdout.write(`${JSON.stringify({ ...result, mixin: report.mixin })}\n`);
  (dryRun && !json ? process.stdout : process.stderr).write(report.text);
  return result.failed.count === 0 ? 0 : 3;
}

/** The work leaves timers no room: the clock is looked at after each directory. A line on a terminal, every 10 s elsewhere. */
function createProgress(out: NodeJS.WriteStream): { show: NonNullable<SplitHooks["onProgress"]>; end(): void } {
  const isLive = out.isTTY === true && process.env.TERM !== "dumb";
  const everyMs = isLive ? 100 : 10_000;
  const startedMs = Date.now();
  let shownMs = startedMs;
  let isShown = false;
  return {
    show(doing, files) {
      const nowMs = Date.now();
      if (nowMs - shownMs < everyMs) return;
      shownMs = nowMs;
      isShown = true;
      const text = `${doing} · ${shortCount(files)} files · ${shortRate((files * 1000) / (nowMs - startedMs))}`;
      out.write(isLive ? `\r${text}\x1b[K` : `${text}\n`);
    },
    end() {
      if (isLive && isShown) out.write("\r\x1b[K");
    },
  };
}
