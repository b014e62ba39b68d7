/** A file that can be read at any place: on a disk, or behind a URL. */
export interface DataFile extends AsyncDisposable {
  /** For messages: the path or URL, without a password. */
  readonly name: string;
  readonly size: number;
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
