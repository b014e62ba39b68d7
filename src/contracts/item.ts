/** What JSON can say. Items, option values and sink frames are made of it: they cross to other threads and machines. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One input as it is listed, stored and sent. `undefined` fields count as absent. */
export type Item = { readonly [field: string]: unknown };

const RESERVED = /^(?:result|input|output(?:_.*)?)$/;

/** Fields that modes inject: no record may bring its own. */
export const isReservedField = (name: string): boolean => RESERVED.test(name);

/**
 * A file as a task sees it. `path` is joined where it is read, because mounts differ by machine.
 * `relDir` is the directory relative to the input root, `.` for the root itself; `fileName` keeps its extension.
 */
export interface FileTriplet {
  readonly path: string;
  readonly relDir: string;
  readonly fileName: string;
}

/** A file as it crosses a border. `root` counts the task's roots; `path` is set only where a list names it outright. */
export interface WireTriplet {
  readonly root: number;
  readonly rel_dir: string;
  readonly file_name: string;
  readonly path?: string;
}

/** Files of one directory and one stem as they cross a border: one item. */
export interface WireGroup {
  readonly root: number;
  readonly rel_dir: string;
  readonly stem: string;
  /** Id → file name. */
  readonly files: Readonly<Record<string, string>>;
  /** Why it cannot run, where the listing saw it: two files claim one place, for one. */
  readonly refused?: string;
}

/** Where a task writes. `path` is a staging path with the final base name; it becomes `finalPath` once `process` has returned. */
export interface OutputFile extends FileTriplet {
  readonly finalPath: string;
}

/** The item of the common template: a file in, a file out. */
export interface FileItem {
  readonly input: FileTriplet;
  readonly output: OutputFile;
}
