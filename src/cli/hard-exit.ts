import { createRequire } from "node:module";

/** Set where a thread is left that `process.exit` would wait for. */
export const ending = { isHard: false };

/**
 * Ends this process at once, with this exit code. `process.exit` waits for the threads of this process, also for one that is
 * blocked in a native call; WASI's `proc_exit` is the one call of Node that does not.
 */
export function hardExit(code: number): never {
  try {
    // Loaded here, because loading it prints a warning, for which no time is left.
    const { WASI } = createRequire(import.meta.url)("node:wasi") as typeof import("node:wasi");
    const wasi = new WASI({ version: "preview1", returnOnExit: false });
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
    wasi.start(new Instance(new Module(exitModule(code)), { wasi_snapshot_preview1: wasi.wasiImport }));
  } catch {
    // Below.
  }
  process.kill(process.pid, "SIGKILL");
  throw new Error("this process has been killed");
}

/** The types of Node have no WebAssembly. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
}

/** A module whose `_start` calls `proc_exit(code)`. */
function exitModule(code: number): Uint8Array {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, bytes: number[]): number[] => [id, bytes.length, ...bytes];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // Types: (i32) → nothing, nothing → nothing.
    ...section(1, [2, 0x60, 1, 0x7f, 0, 0x60, 0, 0]),
    ...section(2, [1, ...name("wasi_snapshot_preview1"), ...name("proc_exit"), 0, 0]),
    ...section(3, [1, 1]),
    ...section(5, [1, 0, 0]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("_start"), 0, 1]),
    // i32.const code (two bytes of LEB128); call 0; end.
    ...section(10, [1, 7, 0, 0x41, (code & 0x7f) | 0x80, code >> 7, 0x10, 0, 0x0b]),
  ]);
}
