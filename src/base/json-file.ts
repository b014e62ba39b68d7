import { environmentError } from "./disk.js";
import { createFile, replaceFile } from "./whole-file.js";

/** The run's id is part of the names of temporary files, because pids are not unique among machines. */
interface OfRun {
  readonly run: string;
}

/** Replaces a small JSON file atomically: a reader sees the old or the new content. The directory has to exist. */
export function writeJsonFile(path: string, value: OfRun, durable = false): void {
  replaceFile(path, jsonText(value), { temporary: temporaryOf(path, value.run), durable });
}

/** Makes a small JSON file that does not exist yet, without a temporary file. A kill may leave it incomplete. */
export function createJsonFile(path: string, value: OfRun, durable = false): void {
  if (!createFile(path, jsonText(value), durable))
    throw environmentError("write", path, new Error("it exists already"));
}

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const temporaryOf = (path: string, run: string): string => `${path}.${run}.tmp`;

/** Whether a file is a temporary file of this run. */
export const isTemporaryOf = (name: string, run: string): boolean => name.endsWith(temporaryOf("", run));
