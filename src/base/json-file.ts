import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { environmentError, writeFully } from "./disk.js";

/** Made by one run: its id is in the names of its temporary files, for pids are not unique among machines. */
interface OfRun {
  readonly run: string;
}

/** Replaces a small JSON file as a whole: a reader sees the old or the new one. The directory must be there. */
export function writeJsonFile(path: string, value: OfRun, durable = false): void {
  const temporary = temporaryOf(path, value.run);
  attempt(path, () => {
    try {
      write(temporary, "w", value, durable);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** Makes a small JSON file where there is none to keep whole: killed half-way, it leaves nothing under another name. */
export function createJsonFile(path: string, value: OfRun, durable = false): void {
  attempt(path, () => write(path, "wx", value, durable));
}

const temporaryOf = (path: string, run: string): string => `${path}.${run}.tmp`;

/** Whether a file was on its way to its name when this run ended. */
export const isTemporaryOf = (name: string, run: string): boolean => name.endsWith(temporaryOf("", run));

function write(path: string, flags: "w" | "wx", value: OfRun, durable: boolean): void {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  const fd = openSync(path, flags);
  try {
    // A disk that fills up may take a part of the bytes and call it success.
    writeFully(fd, bytes, bytes.length, () => {});
    if (durable) fsyncSync(fd);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw environmentError("write", path, error);
  }
}
