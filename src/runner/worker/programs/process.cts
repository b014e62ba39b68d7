import type { ChildProcess } from "node:child_process";

import childProcess = require("node:child_process");
import fs = require("node:fs");
import net = require("node:net");

import type { CapturedText, FromSpawner, SpawnerEnd, SpawnerJob, SpawnerKill, ToSpawner } from "./wire.js" with {
  "resolution-mode": "import",
};

/**
 * The program of a spawner process. Starting a program costs more the more memory the parent process has (fork copies its
 * page tables). So this file is CommonJS and imports only a few modules of Node.
 *
 *   lines on stdin (jobs, signals) ──▶ programs ──▶ lines on stdout (ends)
 *
 * When stdin ends, the worker has exited, and the programs are killed.
 */
const BOARD_FD = 3;

// Killing a group that has ended throws, once per job: without stack traces that is cheap.
Error.stackTraceLimit = 0;

interface Running {
  readonly job: SpawnerJob;
  readonly child: ChildProcess;
  readonly stdout: Capture | undefined;
  readonly stderr: Capture | undefined;
}

type Capture = number;

let commonEnv: Readonly<Record<string, string>> = {};
let tmpDir = "/tmp";
let files = 0;
const running = new Map<number, Running>();
const freeCaptures: Capture[] = [];
const nothing = fs.openSync("/dev/null", "r+");
const boardCells = new Int32Array(2);

function onMessage(message: ToSpawner): void {
  if ("argv" in message) start(message);
  else if ("kill" in message) kill(message);
  else {
    commonEnv = message.env;
    tmpDir = message.tmpDir;
  }
}

function start(job: SpawnerJob): void {
  const opened: number[] = [];
  const captures: Capture[] = [];
  const capture = (): Capture => {
    const fd = freeCaptures.pop() ?? openNameless("ax+");
    captures.push(fd);
    return fd;
  };
  try {
    const stdin = openInput(job, opened);
    const stdout = job.stdout === "capture" ? capture() : undefined;
    const stderr = job.stderr === "capture" ? capture() : undefined;
    const child = spawn(job, [stdin, stdout ?? openOutput(job, opened), stderr ?? nothing]);
    child.once("error", (error) => refuse(job, error, captures));
    if (child.pid === undefined) return;
    boardCells[0] = job.id;
    boardCells[1] = child.pid;
    fs.writeSync(BOARD_FD, boardCells, 0, boardCells.byteLength, job.slot * boardCells.byteLength);
    running.set(job.id, { job, child, stdout, stderr });
    child.once("exit", (code, signal) => end(job.id, code, signal));
  } catch (error) {
    refuse(job, error as NodeJS.ErrnoException, captures);
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
}

function spawn({ argv, cwd, env }: SpawnerJob, stdio: number[]): ChildProcess {
  const [file, ...args] = argv as [string, ...string[]];
  return childProcess.spawn(file, args, { cwd, env: { ...commonEnv, ...env }, stdio, detached: true });
}

function openInput({ stdin }: SpawnerJob, opened: number[]): number {
  if (stdin === undefined) return nothing;
  const fd = "path" in stdin ? fs.openSync(stdin.path, "r") : openNameless("wx+");
  opened.push(fd);
  if ("text" in stdin) {
    // Positional writes: the file offset, where the program begins to read, does not move.
    const bytes = Buffer.from(stdin.text);
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at, bytes.length - at, at);
  }
  return fd;
}

function openOutput({ stdout }: SpawnerJob, opened: number[]): number {
  if (stdout === undefined || stdout === "capture") return nothing;
  const fd = fs.openSync(stdout.path, "w");
  opened.push(fd);
  return fd;
}

/** An unlinked file disappears with the process, even after SIGKILL. */
function openNameless(flags: string): number {
  const path = `${tmpDir}/kagurazaka-run-${process.pid}-${files++}-${Math.random().toString(36).slice(2)}`;
  const fd = fs.openSync(path, flags, 0o600);
  fs.unlinkSync(path);
  return fd;
}

function refuse(job: SpawnerJob, error: NodeJS.ErrnoException, captures: readonly Capture[]): void {
  const { message, code, errno, syscall, path } = error;
  freeCaptures.push(...captures);
  reply({ id: job.id, error: { message, code, errno, syscall, path } });
}

function end(id: number, code: number | null, signal: NodeJS.Signals | null): void {
  const { job, child, stdout, stderr } = running.get(id)!;
  running.delete(id);
  const groupLeft = isLeft(child.pid!) ? child.pid : undefined;
  const said = [stdout, stderr].map((fd) => fd && readEnd(fd, job.keepBytes, groupLeft === undefined));
  if (code === 0 && groupLeft === undefined && !said[0] && !said[1]) return reply(id);
  const ending: SpawnerEnd = {
    id,
    code,
    signal,
    stdout: said[0] || undefined,
    stderr: said[1] || undefined,
    groupLeft,
  };
  reply(ending);
}

function isLeft(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** The end of the output; undefined when it is empty. Empties the file for the next program. */
function readEnd(fd: Capture, keepBytes: number, isOver: boolean): CapturedText | undefined {
  const { size } = fs.fstatSync(fd);
  let captured: CapturedText | undefined;
  if (size > 0) {
    const bytes = Buffer.allocUnsafe(Math.min(size, keepBytes));
    const from = size - bytes.length;
    const read = fs.readSync(fd, bytes, 0, bytes.length, from);
    // Skips a character that the cut has split.
    let first = 0;
    while (from > 0 && first < 3 && (bytes[first]! & 0xc0) === 0x80) first++;
    captured = { text: bytes.toString("utf8", first, read), leftOut: from + first };
  }
  // Processes left in the group may go on writing: the next program gets new files.
  if (!isOver) fs.closeSync(fd);
  else {
    if (size > 0) fs.ftruncateSync(fd, 0);
    freeCaptures.push(fd);
  }
  return captured;
}

function kill({ id, kill: signal }: SpawnerKill): void {
  const pid = running.get(id)?.child.pid;
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has already ended.
  }
}

function reply(message: FromSpawner): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  try {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at);
  } catch {
    // The worker has exited; its end of stdin may be seen later than this.
    stop();
  }
}

let rest = "";
const input = new net.Socket({ fd: 0, readable: true, writable: false });
input.setEncoding("utf8");
input.on("data", (piece: string) => {
  const lines = (rest + piece).split("\n");
  rest = lines.pop()!;
  for (const line of lines) onMessage(JSON.parse(line) as ToSpawner);
});
const stop = (): void => {
  for (const id of running.keys()) kill({ id, kill: "SIGKILL" });
  process.exit();
};
input.on("error", stop);
input.on("close", stop);
