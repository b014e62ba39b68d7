import { maskText, PermanentError, stringifyJson } from "kagurazaka";

/** A line of a list: what to fetch and, where the list has them, its checksums and length. */
export interface FetchRecord {
  readonly url?: unknown;
  /** In place of `url`: the URL, and behind a tab the file. */
  readonly line?: unknown;
  /** Path below the output root. */
  readonly file?: unknown;
  /** Hexadecimal. */
  readonly sha256?: unknown;
  readonly sha512?: unknown;
  readonly sha1?: unknown;
  readonly md5?: unknown;
  /** Length of the file. */
  readonly bytes?: unknown;
}

export interface Source {
  readonly url: URL;
  readonly file: string | undefined;
  readonly sums: readonly { readonly algorithm: Algorithm; readonly digest: string }[];
  readonly bytes: number | undefined;
}

const hexDigits = { sha256: 64, sha512: 128, sha1: 40, md5: 32 } as const;
export type Algorithm = keyof typeof hexDigits;
export const algorithms = Object.keys(hexDigits) as readonly Algorithm[];

/** @throws PermanentError for a record that asks for nothing that can be fetched */
export function readSource(record: FetchRecord): Source {
  const line = typeof record.line === "string" ? record.line.trim().split("\t", 2) : [];
  const text = record.url ?? line[0];
  const file = record.file ?? line[1]?.trim();
  if (file !== undefined && (typeof file !== "string" || file === ""))
    throw mistake(`"file" is ${stringifyJson(file)}, not a path`);
  const { bytes } = record;
  if (bytes !== undefined && bytes !== null && !(Number.isSafeInteger(bytes) && (bytes as number) >= 0))
    throw mistake(`"bytes" is ${stringifyJson(bytes)}, not a length`);
  return { url: parseUrl(text), file, sums: readSums(record), bytes: (bytes as number | null) ?? undefined };
}

function parseUrl(text: unknown): URL {
  if (typeof text !== "string") throw mistake('the record has no "url"');
  if (!URL.canParse(text)) throw mistake(`${JSON.stringify(maskText(text))} is not a URL`);
  const url = new URL(text);
  // The fragment behind # is never sent.
  url.hash = "";
  return checkScheme(url);
}

/** The URL itself. @throws PermanentError unless it is one of http or https */
export function checkScheme(url: URL): URL {
  if (url.protocol === "http:" || url.protocol === "https:") return url;
  throw mistake(`"${shown(url)}" is of ${url.protocol.slice(0, -1)}, not http or https`);
}

function readSums(record: FetchRecord): Source["sums"] {
  return algorithms.flatMap((algorithm) => {
    const digest = record[algorithm];
    if (digest === undefined || digest === null) return [];
    if (typeof digest !== "string" || !/^[\da-f]+$/i.test(digest) || digest.length !== hexDigits[algorithm]) {
      throw mistake(`"${algorithm}" is not ${hexDigits[algorithm]} hexadecimal digits`);
    }
    return [{ algorithm, digest: digest.toLowerCase() }];
  });
}

/** Without a stack: the mistake is in the list, not in the code. */
function mistake(message: string): PermanentError {
  return Object.assign(new PermanentError(message), { stack: undefined });
}

/** A URL as it may be printed: without its password, and without values of secret parameters. */
export const shown = (url: URL): string => maskText(url.href);
