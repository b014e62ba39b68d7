import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";

interface ToKeeper {
  readonly stdin: Socket;
  readonly stderr: Socket;
}

interface Keeper {
  readonly child: ChildProcess & ToKeeper;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  complaint: string;
}

/**
 * Copies what comes through the named pipe to standard error. Opened for writing as well at first: else it would wait for a
 * process that was killed meanwhile. Where standard error has lost its reader, or its disk is full, the rest is read and
 * dropped.
 */
const COPIER = 'exec 3<>"$1" <"$1" 3<&-; rm -rf "$2"; cat >&2 2>/dev/null; exec cat >/dev/null';

let second: Writable | undefined;
let keeper: Keeper | undefined;
let failure: string | undefined;
let isOwed = false;

/** Standard output, for the data that a command prints; what user code prints does not come here. */
export const dataOut = (): Writable => second ?? keeper?.child.stdin ?? process.stdout;

/** The object of `--json`. @param isOwed the command has failed where it cannot be written */
export function printJson(value: unknown, { owed = false } = {}): void {
  printJsonText(JSON.stringify(value), { owed });
}

/** The same for an object that is text already: its integers may be beyond 2^53. */
export function printJsonText(text: string, { owed = false } = {}): void {
  isOwed ||= owed;
  dataOut().write(`${text}\n`);
}

export function guardStdout(): void {
  process.stdout.on("error", onError);
}

function onError({ code, message }: NodeJS.ErrnoException): void {
  failure ??= code === "EPIPE" ? "EPIPE" : message;
}

/**
 * From now on, what is written to descriptor 1 goes to standard error: by native code, by programs that inherit it, by
 * `fs.writeSync(1)`, by opening `/dev/stdout`. A pipe can be opened once more for our data. Of anything else, a process `cat`
 * keeps the descriptor: Node cannot duplicate one. A closed descriptor 1 is taken by the next file that is opened, which is a named
 * pipe: what Node makes for a child is a socket, which cannot be opened by name.
 *
 *   descriptor 1 ──▶ cat ──▶ standard error          dataOut() ──▶ (cat) ──▶ standard output
 *
 * Must come before anything uses `process.stdout`. Without a program `cat`, all is left as it is.
 */
export function keepStdoutAlone(): void {
  // Only here: most commands do without it.
  const { spawn, spawnSync } = process.getBuiltinModule("node:child_process");
  second = openAgain();
  if (second === undefined) keeper = startKeeper(spawn);
  if ((second ?? keeper) === undefined) return;
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-stdout-"));
  const path = join(dir, "pipe");
  const drop = (): void => {
    closeSync(1);
    openSync("/dev/null", "w");
    rmSync(dir, { recursive: true, force: true });
  };
  if (spawnSync("mkfifo", [path]).status !== 0) return drop();
  // Until the copier has opened its end, this one keeps the pipe open for reading.
  const reader = openSync(path, constants.O_RDWR);
  closeSync(1);
  openSync(path, constants.O_WRONLY);
  const copier = spawn("/bin/sh", ["-c", COPIER, "sh", path, dir], { stdio: ["ignore", 2, 2], detached: true });
  copier.on("error", () => {});
  copier.unref();
  if (copier.pid === undefined) {
    closeSync(reader);
    return drop();
  }
  const isTaken = setInterval(() => {
    if (existsSync(path)) return;
    clearInterval(isTaken);
    closeSync(reader);
  }, 5).unref();
}

function openAgain(): Writable | undefined {
  if (!fstatSync(1).isFIFO()) return undefined;
  try {
    // Fails where the reader is gone; the other one would wait for a new reader.
    closeSync(openSync("/dev/fd/1", constants.O_WRONLY | constants.O_NONBLOCK));
    const fd = openSync("/dev/fd/1", constants.O_WRONLY);
    const { Socket } = process.getBuiltinModule("node:net");
    // A stream, before descriptor 1 is free: with its first one, Node opens a file of its own.
    return new Socket({ fd, readable: false, writable: true }).on("error", onError);
  } catch {
    return undefined;
  }
}

function startKeeper(spawn: typeof import("node:child_process").spawn): Keeper | undefined {
  const child = spawn("cat", { stdio: ["pipe", 1, "pipe"], detached: true }) as ChildProcess & ToKeeper;
  child.on("error", () => {});
  if (child.pid === undefined) return undefined;
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal }));
  const own: Keeper = { child, ended, complaint: "" };
  child.stdin.on("error", onError);
  child.stderr.setEncoding("utf8").on("data", (text: string) => (own.complaint += text));
  child.unref();
  child.stdin.unref();
  child.stderr.unref();
  return own;
}

/** Waits until the data has gone out. @returns why it has not, where somebody has to be told */
export async function dataDelivered(): Promise<string | undefined> {
  const out = dataOut();
  await new Promise<void>((resolve) => {
    if (out.destroyed) resolve();
    else if (keeper) out.end(() => resolve());
    else out.write("", () => resolve());
  });
  if (keeper) {
    keeper.child.ref();
    keeper.child.stderr.ref();
    const { code, signal } = await keeper.ended;
    if (signal === "SIGPIPE") failure ??= "EPIPE";
    else if (code !== 0) failure ??= keeper.complaint.trim().split(": ").at(-1) ?? "";
  }
  if (failure !== "EPIPE") return failure;
  return isOwed ? "its reader is gone" : undefined;
}
