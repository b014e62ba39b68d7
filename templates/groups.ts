import { joinRelative, type WireGroup } from "../src/kit.js";

/** Id → endings of file names. */
export type FilesToJoin = Readonly<Record<string, string | readonly string[]>>;

interface Joiner {
  /** Whether a file can belong to a group at all. */
  match(name: string): boolean;
  /** The groups among the files of one directory, in the order of their first files. */
  join(names: readonly string[], at: { root: number; relDir: string; unmatched: Unmatched }): WireGroup[];
}

/** The files of one stem by id; several files for one id are a mistake. */
type Found = Record<string, string[]>;

export function createJoiner(filesToJoin: FilesToJoin, ignoreCase: boolean): Joiner {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const ids = Object.keys(filesToJoin).sort();
  // The longest first: a.meta.json ends in .json too.
  const endings = ids
    .flatMap((id) => [filesToJoin[id]!].flat().map((ext) => ({ id, ext: fold(ext) })))
    .sort((a, b) => b.ext.length - a.ext.length);
  const endingOf = (name: string) => {
    const folded = fold(name);
    // A name that is only an ending has no stem.
    return endings.find(({ ext }) => folded.endsWith(ext) && folded.length > ext.length);
  };

  return {
    match: (name) => endingOf(name) !== undefined,
    join(names, { root, relDir, unmatched }) {
      const stems = new Map<string, Found>();
      for (const name of names) {
        const { id, ext } = endingOf(name)!;
        const stem = name.slice(0, -ext.length);
        const found = stems.get(stem) ?? (Object.create(null) as Found);
        stems.set(stem, found);
        found[id] = [...(found[id] ?? []), name];
      }
      const groups: WireGroup[] = [];
      for (const [stem, found] of stems) {
        const missing = ids.filter((id) => found[id] === undefined);
        if (missing.length === 0) groups.push(groupOf(found, ids, { rel_dir: relDir, root, stem }));
        else for (const name of Object.values(found).flat()) unmatched.add(joinRelative(relDir, name), missing);
      }
      return groups;
    },
  };
}

function groupOf(found: Found, ids: readonly string[], name: Pick<WireGroup, "rel_dir" | "root" | "stem">): WireGroup {
  const files = Object.fromEntries(ids.map((id) => [id, found[id]![0]!]));
  const twice = ids.find((id) => found[id]!.length > 1);
  if (twice === undefined) return { files, ...name };
  const refused = `has ${found[twice]!.length} files for ${twice}: ${found[twice]!.join(", ")}`;
  return { files, refused, ...name };
}

const EXAMPLES = 3;

/** Files whose partners are missing: counted, the first few by name. */
export class Unmatched {
  count = 0;
  readonly #examples: string[] = [];

  add(path: string, missing: readonly string[]): void {
    if (this.count++ < EXAMPLES) this.#examples.push(`${path} (no ${missing.join(", no ")})`);
  }

  describe(): string {
    const files = this.count === 1 ? "1 file has no partner" : `${this.count} files have no partner`;
    return `${files}: ${this.#examples.join(", ")}${this.count > EXAMPLES ? ", …" : ""}`;
  }
}
