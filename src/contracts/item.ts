/** A JSON value; a `bigint` is an integer that a number cannot hold. Items and option values are JSON, because they are sent to other threads and machines. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

/** One input as it is listed, stored and sent. `undefined` fields count as absent. */
export type Item = { readonly [field: string]: unknown };

const RESERVED = /^(?:result|input|output(?:_.*)?)$/s;

/** Names of fields that modes inject, which no record may have. */
export const isReservedField = (name: string): boolean => RESERVED.test(name);

/**
 * A file as `process` gets it. `path` is made on the worker's machine, because mount points differ. `relDir` is the directory
 * relative to the input root, `.` for the root itself; `fileName` includes the extension.
 */
export interface FileTriplet {
  readonly path: string;
  readonly relDir: string;
  readonly fileName: string;
}

/** A file as it is sent to workers. `root` is an index of the task's roots; `path` is set only where a list has the full path. */
export interface WireTriplet {
  readonly root: number;
  readonly rel_dir: string;
  readonly file_name: string;
  readonly path?: string;
}

/** Files of one directory with one stem, as they are sent to workers: one item. */
export interface WireGroup {
  readonly root: number;
  readonly rel_dir: string;
  readonly stem: string;
  /** Id → file name. */
  readonly files: Readonly<Record<string, string>>;
  /** Why the group cannot run, e.g. because two of its files have one id. */
  readonly refused?: string;
}

/** An output. `path` is a staging path with the final base name; it is renamed to `finalPath` once `process` has returned. */
export interface OutputFile extends FileTriplet {
  readonly finalPath: string;
}

/** The item of the common template: one input file, one output file. */
export interface FileItem {
  readonly input: FileTriplet;
  readonly output: OutputFile;
}
