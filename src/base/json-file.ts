import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { environmentError, writeFully } from "./disk.js";

/** The run's id is part of the names of temporary files, because pids are not unique among machines. */
interface OfRun {
  readonly run: string;
}

/** Replaces a small JSON file atomically: a reader sees the old or the new content. The directory has to exist. */
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

/** Makes a small JSON file that does not exist yet, without a temporary file. A kill may leave it incomplete. */
export function createJsonFile(path: string, value: OfRun, durable = false): void {
  attempt(path, () => write(path, "wx", value, durable));
}

const temporaryOf = (path: string, run: string): string => `${path}.${run}.tmp`;

/** Whether a file is a temporary file of this run. */
export const isTemporaryOf = (name: string, run: string): boolean => name.endsWith(temporaryOf("", run));

function write(path: string, flags: "w" | "wx", value: OfRun, durable: boolean): void {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  const fd = openSync(path, flags);
  try {
    // A disk that fills up may take a part of the bytes without an error.
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
