import { KagurazakaError } from "../../base/errors.js";
import type { ReadChunksOptions } from "./read-chunks.js";

/**
 * What is piped into this process, as it arrives. There is one of it per process, and it is gone once it was read: a
 * second reader is told so rather than given nothing.
 */
export async function* readStandardInput({ signal, warn }: ReadChunksOptions): AsyncGenerator<Buffer> {
  const { stdin } = process;
  if (stdin.readableDidRead || stdin.readableEnded || stdin.destroyed) {
    throw new KagurazakaError("usage", "standard input was read before, and can be read only once", {
      hint: "Save the list to a file and name that.",
    });
  }
  if (stdin.isTTY)
    warn?.("the list is read from the terminal: type or paste its lines, then Ctrl-D on a line of its own");
  const stop = (): void => void stdin.destroy();
  signal?.addEventListener("abort", stop);
  try {
    yield* stdin as AsyncIterable<Buffer>;
  } catch (error) {
    signal?.throwIfAborted();
    throw new KagurazakaError("generate-tasks", `cannot read stdin to its end: ${(error as Error).message}`, {
      where: "stdin",
      cause: error,
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
