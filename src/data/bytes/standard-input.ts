import { KagurazakaError } from "../../base/errors.js";

export interface StandardInputOptions {
  /** Stops at the next chunk, by throwing the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with what a person at a terminal has to know: that the command waits for their typing. */
  readonly warn?: (message: string) => void;
}

/**
 * Standard input, as it arrives. It can be read once in a process: a second reader gets an error rather than nothing.
 */
export async function* readStandardInput({ signal, warn }: StandardInputOptions): AsyncGenerator<Buffer> {
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
