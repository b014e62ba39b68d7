/** A file that can be read at any place: on a disk, or behind a URL. */
export interface DataFile extends AsyncDisposable {
  /** For messages: the path or URL, without a password. */
  readonly name: string;
  readonly size: number;
  /** Changes when the file does; undefined where the store cannot tell. */
  readonly version?: string | undefined;
  /** Fewer bytes only at the end of the file. The buffer is the caller's. */
  read(offset: number, length: number): Promise<Buffer>;
  /** The bytes from `from` up to `to`, in chunks of about `chunkBytes`. A chunk is valid until the next one is asked for. */
  stream(from: number, to: number, chunkBytes?: number): AsyncGenerator<Buffer>;
}

/** A file as a listing has it. */
export interface ListedFile {
  /** Relative to what was listed, POSIX. */
  readonly name: string;
  readonly size: number;
  /** Changes when the file does; undefined where the store cannot tell. */
  readonly version: string | undefined;
}

/** Where files are: a scheme of URLs. One definition a file, registered with `defineStore`. */
export interface Store {
  readonly contract: 1;
  /** `https`, `s3`. */
  readonly schemes: readonly string[];
  /** @throws KagurazakaError `source` for what is not there */
  open(url: string): Promise<DataFile>;
  /** The files below a URL; undefined where the store cannot list. */
  list?(url: string): Promise<readonly ListedFile[]>;
}

/** A registered symbol: a store may come from another package with another copy of this one. */
const registered = Symbol.for("kagurazaka.stores");

/** The stores of this thread by scheme, whichever copy of this package they were defined with. */
export function definedStores(): Map<string, Store> {
  const here = globalThis as { [registered]?: Map<string, Store> };
  here[registered] ??= new Map();
  return here[registered];
}

/**
 * Defines a store, and from then on its schemes are its own, in this thread: a module that every worker loads (the task's, or
 * one that it imports) is the place for it. The last one defined for a scheme counts.
 *
 * ```ts
 * export default defineStore({ schemes: ["s3"], open: async (url) => … });
 * ```
 */
export function defineStore(store: Omit<Store, "contract">): Store {
  const defined: Store = { ...store, contract: 1 };
  for (const scheme of store.schemes) definedStores().set(scheme.toLowerCase(), defined);
  return defined;
}
