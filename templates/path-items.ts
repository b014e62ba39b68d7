import { existsSync, statSync } from "node:fs";
import { join, posix, relative, resolve } from "node:path";
import { type Item, KagurazakaError, type ListEnv, type WireTriplet } from "../src/kit.js";

/** Files named by a list, as items. */
export class PathItems {
  readonly #env: ListEnv;
  readonly #prefix: string;
  /** Prefixes of paths below the input root that are outputs or state: a file that `find` lists there is no input. */
  readonly #outputs: readonly string[];
  /** The same of absolute paths elsewhere. */
  readonly #outputsElsewhere: readonly string[];
  #leftOut = 0;
  #isChecked = false;

  constructor(env: ListEnv) {
    const { inputRoot, leaveOut } = env;
    this.#env = env;
    this.#prefix = inputRoot.endsWith("/") ? inputRoot : `${inputRoot}/`;
    this.#outputs = leaveOut
      .map((path) => `${relative(inputRoot, path)}/`)
      .filter((path) => !/^(?:\.\.)?\//.test(path));
    this.#outputsElsewhere = leaveOut.map((path) => `${path}/`).filter((path) => !this.#prefix.startsWith(path));
  }

  /** `paths` are relative to the input root or absolute. */
  take(paths: readonly string[]): Item[] {
    const items: Item[] = [];
    for (const path of paths) {
      const input = path.charCodeAt(0) === SLASH ? this.#absolute(path) : this.#relative(path);
      if (input) items.push({ input });
    }
    return items;
  }

  /** To be called after the last path: warns of what was left out. */
  end(): void {
    if (this.#leftOut === 0) return;
    const lines = this.#leftOut === 1 ? "1 line names a file" : `${this.#leftOut} lines name files`;
    this.#env.warn(`${lines} of the output root or of kagurazaka's own, passed over: these are no inputs`);
  }

  #relative(path: string): WireTriplet | undefined {
    if (!this.#isChecked) this.#checkRoot(path);
    return this.#belowRoot(isNormal(path) ? path : withoutSlash(posix.normalize(path)));
  }

  #absolute(path: string): WireTriplet | undefined {
    const normal = isNormal(path) ? path : withoutSlash(posix.normalize(path));
    if (normal.startsWith(this.#prefix)) return this.#belowRoot(normal.slice(this.#prefix.length));
    if (isOwn(normal, this.#outputsElsewhere)) return this.#leaveOut();
    const { file_name, rel_dir, root } = triplet(normal.slice(1), this.#env.root);
    return { file_name, path: normal, rel_dir, root };
  }

  #belowRoot(path: string): WireTriplet | undefined {
    return isOwn(path, this.#outputs) ? this.#leaveOut() : triplet(path, this.#env.root);
  }

  #leaveOut(): undefined {
    this.#leftOut++;
  }

  /** Checks the first path only: in a list made for another directory all paths are wrong. */
  #checkRoot(path: string): void {
    const { inputRoot, warn } = this.#env;
    this.#isChecked = true;
    if (!statSync(inputRoot, { throwIfNoEntry: false })?.isDirectory()) {
      throw new KagurazakaError("input-root", `the input root ${inputRoot} is not a directory`, {
        where: "hard_shard_mode.input_path",
        hint: "Lines are relative to the input root, unless they are absolute.",
      });
    }
    if (existsSync(join(inputRoot, path)) || !existsSync(path)) return;
    const meant = relative(inputRoot, resolve(path));
    const advice = meant.startsWith("..") ? "list absolute paths" : `it should be ${JSON.stringify(meant)}`;
    warn(
      `lines are relative to the input root ${inputRoot}, which has no ${JSON.stringify(path)}; the working directory has: ${advice}, or the input root should be another`,
    );
  }
}

const SLASH = 47;

function isOwn(path: string, outputs: readonly string[]): boolean {
  if (path.includes(".kagurazaka/") && /(?:^|\/)\.kagurazaka\//.test(path)) return true;
  for (const directory of outputs) if (path.startsWith(directory)) return true;
  return false;
}

/** Fields in sorted order: canonical JSON takes its fast path. */
function triplet(relPath: string, root: number): WireTriplet {
  const slash = relPath.lastIndexOf("/");
  if (slash < 0) return { file_name: relPath, rel_dir: ".", root };
  return { file_name: relPath.slice(slash + 1), rel_dir: relPath.slice(0, slash), root };
}

/** Whether there is nothing to normalise: no empty segment, and none that begins with a dot. */
const isNormal = (path: string): boolean => !path.startsWith(".") && !/\/(?:[./]|$)/.test(path);

const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);
