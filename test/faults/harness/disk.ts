import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Relative path → hash of the bytes (`directory` for an empty directory), of everything but our own files. */
export function readTree(root: string): Map<string, string> {
  const tree = new Map<string, string>();
  for (const path of listFiles(root, { emptyDirectories: true })) {
    if (path === ".kagurazaka" || path.startsWith(".kagurazaka/")) continue;
    tree.set(path, path.endsWith("/") ? "directory" : hashOf(join(root, path)));
  }
  return tree;
}

const hashOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);

/** All files below, POSIX and sorted; an empty directory as `name/` where asked for. */
export function listFiles(root: string, options: { emptyDirectories?: boolean } = {}, prefix = ""): string[] {
  if (!existsSync(root)) return [];
  const entries = readdirSync(join(root, prefix), { withFileTypes: true });
  if (entries.length === 0 && prefix !== "") return options.emptyDirectories ? [`${prefix}/`] : [];
  return entries
    .flatMap((entry) => {
      const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      return entry.isDirectory() ? listFiles(root, options, path) : [path];
    })
    .sort();
}

export interface Recorded {
  readonly key: string;
  readonly status: "done" | "filtered" | "failed";
  readonly epoch: number;
  readonly run: string;
  readonly code: string | undefined;
}

export interface LedgerOnDisk {
  readonly outcomes: readonly Recorded[];
  readonly opened: readonly number[];
  readonly completed: readonly number[];
  /** Keys whose latest outcome finishes them, in this epoch or a later one. */
  finished(epoch?: number): Set<string>;
}

interface AnyLine {
  v?: number;
  run?: string;
  seq?: number;
  epoch?: number;
  open?: boolean;
  complete?: boolean;
  k?: string;
  s?: Recorded["status"];
  error?: { code?: string };
}

/** The ledger by another reader than the product's: each line that is JSON counts. */
export function readLedger(dir: string): LedgerOnDisk {
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(".jsonl")) : [];
  const segments = files.map((file) => readSegment(join(dir, file)));
  segments.sort((a, b) => (a.header.seq ?? 0) - (b.header.seq ?? 0));
  const outcomes: Recorded[] = [];
  const opened: number[] = [];
  const completed: number[] = [];
  for (const { header, lines } of segments) {
    for (const line of lines) {
      // Written twice, one after the other.
      if (line.open && opened.at(-1) !== line.epoch) opened.push(line.epoch!);
      if (line.complete) completed.push(line.epoch!);
      if (line.k === undefined || line.s === undefined) continue;
      const { epoch = 0, run = "?" } = header;
      outcomes.push({ key: line.k, status: line.s, epoch, run, code: line.error?.code });
    }
  }
  return {
    outcomes,
    opened,
    completed,
    finished(epoch = 0) {
      const keys = new Set<string>();
      for (const outcome of outcomes) {
        if (outcome.status === "failed") keys.delete(outcome.key);
        else if (outcome.epoch >= epoch) keys.add(outcome.key);
      }
      return keys;
    },
  };
}

function readSegment(path: string): { header: AnyLine; lines: AnyLine[] } {
  const lines: AnyLine[] = [];
  for (const text of readFileSync(path, "utf8").split("\n")) {
    try {
      lines.push(JSON.parse(text) as AnyLine);
    } catch {
      // A torn end.
    }
  }
  const header = lines[0]?.v === undefined ? {} : lines[0];
  return { header, lines };
}

/** Keys with more than one `done` in one epoch. */
export function doneTwice(outcomes: readonly Recorded[]): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { key, status, epoch } of outcomes) {
    if (status !== "done") continue;
    const name = `${key} in epoch ${epoch}`;
    if (seen.has(name)) twice.push(name);
    seen.add(name);
  }
  return twice;
}

/** What a run leaves only when it was killed: staging, and files on their way to their names. */
export function leftovers(...roots: readonly string[]): string[] {
  return roots.flatMap((root) =>
    listFiles(root, { emptyDirectories: true })
      .filter((path) => /(^|\/)staging\//.test(path) || /\.tmp\b/.test(path))
      .map((path) => join(root, path)),
  );
}

/** Lines a task has appended to its side file. */
export function readNotes(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}
