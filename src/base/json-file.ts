import { environmentError } from "./disk.js";
import { createFile, replaceFile } from "./whole-file.js";

/** Made by one run: its id is in the names of its temporary files, for pids are not unique among machines. */
interface OfRun {
  readonly run: string;
}

/** Replaces a small JSON file as a whole: a reader sees the old or the new one. The directory must be there. */
export function writeJsonFile(path: string, value: OfRun, durable = false): void {
  replaceFile(path, jsonText(value), { temporary: temporaryOf(path, value.run), durable });
}

/** Makes a small JSON file where there is none to keep whole: killed half-way, it leaves nothing under another name. */
export function createJsonFile(path: string, value: OfRun, durable = false): void {
  if (!createFile(path, jsonText(value), durable))
    throw environmentError("write", path, new Error("it exists already"));
}

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const temporaryOf = (path: string, run: string): string => `${path}.${run}.tmp`;

/** Whether a file was on its way to its name when this run ended. */
export const isTemporaryOf = (name: string, run: string): boolean => name.endsWith(temporaryOf("", run));
