import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A directory for one scenario, with a cache of compiled tasks that scenarios of one file share. */
export interface Workplace extends Disposable {
  readonly dir: string;
  path(...parts: string[]): string;
  write(files: Readonly<Record<string, string>>): void;
}

export function openWorkplace(name: string): Workplace {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), `kagurazaka-faults-${name}-`)));
  const path = (...parts: string[]): string => join(dir, ...parts);
  return {
    dir,
    path,
    write(files) {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(path(file)), { recursive: true });
        writeFileSync(path(file), text);
      }
    },
    // A process that was killed may be writing still.
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }),
  };
}
