import { KagurazakaError } from "../../base/errors.js";
import { readChunks } from "../bytes/read-chunks.js";
import { nameOfSource } from "../bytes/source-name.js";

/**
 * The keys of `--keys`, one a line: of a file, which may be a pipe, or of standard input (`-`). Read once.
 * @throws KagurazakaError `bad-value`
 */
export async function readKeys(source: string): Promise<string[]> {
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of readChunks(source)) chunks.push(Buffer.from(chunk));
    const lines = Buffer.concat(chunks).toString("utf8").split(/\r?\n/);
    return [...new Set(lines.filter((line) => line !== ""))];
  } catch (cause) {
    const why =
      KagurazakaError.is(cause) && cause.cause instanceof Error ? cause.cause.message : (cause as Error).message;
    throw new KagurazakaError("bad-value", `cannot read the keys from ${nameOfSource(source)}: ${why}`, {
      where: "--keys",
      cause,
    });
  }
}
