import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Dice } from "./seeds.js";

/** A line of the journal that `fixtures/power.mjs` keeps. */
export interface Change {
  /** Milliseconds of the wall clock. */
  readonly t: number;
  readonly op: "create" | "truncate" | "write" | "rename" | "link" | "mkdir" | "remove" | "sync" | "synced";
  readonly path?: string;
  readonly from?: string;
  readonly data?: string;
  readonly size?: number;
  readonly id?: string;
}

export const readJournal = (path: string): Change[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Change);

interface FileNode {
  readonly kind: "file";
  /** Its content after each change of its data. */
  readonly versions: { readonly step: number; readonly t: number; readonly bytes: Buffer }[];
}

interface DirectoryNode {
  readonly kind: "directory";
  /** Names that came and went, in order. */
  readonly names: { readonly step: number; readonly t: number; readonly name: string; readonly node: Node | null }[];
  /** The same, as a program sees it. */
  readonly now: Map<string, Node>;
}

type Node = FileNode | DirectoryNode;

interface Sync {
  readonly node: Node | "all";
  readonly from: number;
  to: number;
}

const TRACKED = ["out", ".kagurazaka"];

/**
 * The files below a directory as a power cut leaves them. Promised is only what POSIX promises: the data of a file that was
 * synced, the names in a directory that was synced, and everything before a `sync` that has ended. All else is there, or
 * not, or in part, as the dice fall; with `ordered` names come to the disk in the order in which they were made, as on a
 * file system with a journal.
 */
export class PowerDisk {
  readonly #dir: string;
  readonly #root: DirectoryNode = { kind: "directory", names: [], now: new Map() };
  readonly #syncs: Sync[] = [];
  #step = 0;

  /** What is there already is on disk. `changedMs`: its ctimes, which no program can set. */
  constructor(dir: string, changedMs: (path: string) => number | undefined) {
    this.#dir = dir;
    for (const name of TRACKED) this.#take(this.#root, dir, name, changedMs);
    this.#step = 1;
  }

  #take(parent: DirectoryNode, dir: string, name: string, changedMs: (path: string) => number | undefined): void {
    const path = join(dir, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    const t = changedMs(path) ?? stat.ctimeMs;
    if (!stat.isDirectory())
      return this.#name(parent, name, { kind: "file", versions: [{ step: 0, t, bytes: readFileSync(path) }] }, t);
    const node: DirectoryNode = { kind: "directory", names: [], now: new Map() };
    this.#name(parent, name, node, t);
    for (const child of readdirSync(path)) this.#take(node, path, child, changedMs);
  }

  /** What programs did, up to the cut. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#apply(change);
      this.#step++;
    }
  }

  #apply({ op, path = "", from, t, data, size, id }: Change): void {
    const isSync = op === "sync" || op === "synced";
    // One that failed: it was there, or its parent was not.
    if (op === "mkdir" && (this.#seek(path) || !this.#seek(dirname(path)))) return;
    const parent = isSync ? this.#root : (this.#find(dirname(path)) as DirectoryNode);
    const name = basename(path);
    switch (op) {
      case "create":
        return this.#name(
          parent,
          name,
          { kind: "file", versions: [{ step: this.#step, t, bytes: Buffer.alloc(0) }] },
          t,
        );
      case "mkdir":
        return this.#name(parent, name, { kind: "directory", names: [], now: new Map() }, t);
      case "write": {
        const file = this.#find(path) as FileNode;
        const bytes = Buffer.concat([file.versions.at(-1)!.bytes, Buffer.from(data!, "base64")]);
        file.versions.push({ step: this.#step, t, bytes });
        return;
      }
      case "truncate": {
        const file = this.#find(path) as FileNode;
        file.versions.push({ step: this.#step, t, bytes: file.versions.at(-1)!.bytes.subarray(0, size) });
        return;
      }
      case "rename":
      case "link": {
        const node = this.#find(from!);
        this.#name(parent, name, node, t);
        if (op === "rename") this.#name(this.#find(dirname(from!)) as DirectoryNode, basename(from!), null, t);
        return;
      }
      case "remove":
        return this.#name(parent, name, null, t);
      case "sync": {
        const node = path === "" ? "all" : this.#find(path);
        this.#syncs.push({ node, from: this.#step, to: Number.POSITIVE_INFINITY });
        this.#open.set(id!, this.#syncs.at(-1)!);
        return;
      }
      case "synced":
        this.#open.get(id!)!.to = this.#step;
    }
  }

  readonly #open = new Map<string, Sync>();

  #name(parent: DirectoryNode, name: string, node: Node | null, t: number): void {
    parent.names.push({ step: this.#step, t, name, node });
    if (node) parent.now.set(name, node);
    else parent.now.delete(name);
  }

  #seek(path: string): Node | undefined {
    if (path === this.#dir) return this.#root;
    if (!path.startsWith(this.#dir)) return undefined;
    return (this.#seek(dirname(path)) as DirectoryNode | undefined)?.now.get(basename(path));
  }

  #find(path: string): Node {
    const node = this.#seek(path);
    if (!node) throw new Error(`the journal speaks of ${path}, which is not there`);
    return node;
  }

  /** Puts on the real disk what is left after a cut now. Returns the ctime of everything, by path. */
  cut(dice: Dice, { ordered }: { ordered: boolean }): Record<string, number> {
    const times: Record<string, number> = {};
    const everywhere = this.#promised("all");
    const border = ordered ? dice.integer(everywhere, this.#step) : undefined;
    for (const name of TRACKED) rmSync(join(this.#dir, name), { recursive: true, force: true });
    const write = (node: DirectoryNode, dir: string): number => {
      const safe = Math.max(everywhere, this.#promised(node));
      const loose = node.names.filter(({ step }) => step >= safe).length;
      const kept = dice.integer(0, loose);
      const names = new Map<string, { node: Node; t: number }>();
      let changed = 0;
      let seen = 0;
      for (const { step, name, node: child, t } of node.names) {
        if (step >= safe && (border === undefined ? seen++ >= kept : step >= border)) break;
        changed = Math.max(changed, t);
        if (child) names.set(name, { node: child, t });
        else names.delete(name);
      }
      for (const [name, { node: child, t }] of names) {
        const path = join(dir, name);
        if (child.kind === "directory") {
          mkdirSync(path);
          times[path] = Math.max(t, write(child, path));
        } else {
          const { bytes, t: written } = this.#leftOf(child, everywhere, dice);
          writeFileSync(path, bytes);
          times[path] = Math.max(t, written);
        }
      }
      return changed;
    };
    write(this.#root, this.#dir);
    return times;
  }

  /** Before which step everything about it is on disk. */
  #promised(node: Node | "all"): number {
    return Math.max(
      0,
      ...this.#syncs.filter((sync) => sync.node === node && sync.to < this.#step).map(({ from }) => from),
      1,
    );
  }

  #leftOf(file: FileNode, everywhere: number, dice: Dice): { bytes: Buffer; t: number } {
    const safe = Math.max(everywhere, this.#promised(file));
    const old = file.versions.filter(({ step }) => step < safe).at(-1) ?? {
      bytes: Buffer.alloc(0),
      t: file.versions[0]!.t,
    };
    const last = file.versions.at(-1)!;
    if (last.step < safe) return last;
    const grows = last.bytes.subarray(0, old.bytes.length).equals(old.bytes);
    const from = grows ? old.bytes.length : 0;
    const border = dice.integer(from, last.bytes.length);
    switch (dice.pick(["old", "new", "cut", "zeros"])) {
      case "old":
        return old;
      case "new":
        return last;
      case "cut":
        return { bytes: last.bytes.subarray(0, border), t: last.t };
      default: {
        // Its length is on disk, a part of its blocks is not.
        const bytes = Buffer.from(last.bytes);
        bytes.fill(0, border, dice.chance(0.5) ? bytes.length : dice.integer(border, bytes.length));
        return { bytes, t: last.t };
      }
    }
  }
}
