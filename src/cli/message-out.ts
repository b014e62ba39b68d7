import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { groupedCount } from "../base/text.js";

/** What may wait for the reader of standard error, in characters. Later messages are left out, and counted. */
const MAX_WAITING = 4 * 1024 * 1024;
/** At the end, a reader that has taken nothing for so long is not waited for any more. */
const PATIENCE_MS = 10_000;

/** Where messages go. */
export interface MessageOut {
  readonly isTTY: boolean;
  write(text: string): void;
}

let leftOut = 0;

/**
 * Standard error. Messages never stop or slow down the work they are about: where the reader is gone, slow or paused, or the
 * disk is full, they are lost. Not `process.stderr`, whose `write` is replaced while the task's prints are captured.
 */
export const messages: MessageOut = {
  get isTTY() {
    return process.stderr.isTTY === true;
  },
  write(text) {
    const stream: Writable = process.stderr;
    // A file is written synchronously. An error would destroy the stream; here the next message may get through.
    if (!(stream instanceof Socket)) return writeToFile(text);
    if (stream.destroyed) return;
    if (stream.writableLength > MAX_WAITING) {
      leftOut++;
      return;
    }
    const gap =
      leftOut === 0 ? "" : `… ${groupedCount(leftOut)} messages are left out: standard error was read too slowly\n`;
    leftOut = 0;
    Writable.prototype.write.call(stream, gap + text, "utf8");
  },
};

function writeToFile(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // The disk is full.
  }
}

/** An error of standard error, as when its reader goes away, must not end the process. */
export function guardMessages(): void {
  process.stderr.on("error", () => {});
}

/** Waits until messages that were written in the background have gone out, as long as the reader takes some of them. */
export async function messagesDrained(): Promise<void> {
  const stream = process.stderr as Writable & { readonly _handle?: { readonly writeQueueSize?: number } };
  const left = (): number => stream._handle?.writeQueueSize ?? stream.writableLength;
  let last = left();
  for (let quietMs = 0; !stream.destroyed && stream.writableLength > 0 && quietMs < PATIENCE_MS; ) {
    await delay(10);
    quietMs = left() === last ? quietMs + 10 : 0;
    last = left();
  }
}
