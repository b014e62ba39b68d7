import { setTimeout as sleep } from "node:timers/promises";
import { KagurazakaError } from "../../base/errors.js";
import {
  gather,
  type HttpAnswer,
  isPassing,
  nameOfUrl,
  type Patience,
  request,
  usualPatience,
  waitBefore,
} from "./request.js";
import type { DataFile, Store } from "./store.js";

const CHUNK_BYTES = 1 << 20;
/** A file of a server without ranges is held in memory, up to here. */
const MAX_IN_MEMORY = 64 << 20;

interface HttpFileOptions {
  readonly authorization?: string | undefined;
  readonly patience?: Patience | undefined;
  /** What it means that the server does not give the file. @defaultValue what HTTP says */
  readonly refused?: ((status: number, headers: Headers) => KagurazakaError) | undefined;
}

/** Files on web servers. */
const httpStore: Store = { contract: 1, schemes: ["https", "http"], open: (url) => openHttpFile(url) };
export default httpStore;

/**
 * A file behind a URL, read by ranges. A server that ignores them is fine up to 64 MiB, which are then held in memory; of a
 * larger file only `stream` from its start works.
 * @throws KagurazakaError `source` for what is not there, cannot be reached, or changes while it is read
 */
export async function openHttpFile(url: string, options: HttpFileOptions = {}): Promise<DataFile> {
  const name = nameOfUrl(url);
  const { authorization, patience = usualPatience } = options;
  const ask = (range: string) => request({ url, headers: { range }, authorization, patience });
  const answer = await ask("bytes=0-0");
  const { status, headers } = answer;
  const common = { name, ask, version: versionOf(headers), patience };
  if (status === 200) return openWhole(answer, common);
  const size = sizeOf(headers);
  // An empty file has no first byte.
  const isThere = status === 206 || (status === 416 && size === 0);
  try {
    if (!isThere) throw (options.refused ?? refusedBy(name))(status, headers);
    if (size === undefined)
      throw new KagurazakaError("source", `${name} does not say how large it is`, { where: name });
  } finally {
    await answer.discard();
  }
  return new HttpFile({ ...common, size, hasRanges: true, bytes: undefined });
}

async function openWhole(
  answer: HttpAnswer,
  common: Omit<HttpFileParts, "size" | "hasRanges" | "bytes">,
): Promise<DataFile> {
  const header = answer.headers.get("content-length");
  const stated = header === null ? undefined : Number(header);
  if (stated !== undefined && stated > MAX_IN_MEMORY) {
    await answer.discard();
    return new HttpFile({ ...common, size: stated, hasRanges: false, bytes: undefined });
  }
  const bytes = await gather(answer.chunks(), MAX_IN_MEMORY).catch((cause: Error) => {
    throw new KagurazakaError("source", `cannot read ${common.name}: ${cause.message}`, { where: common.name, cause });
  });
  if (bytes === undefined) throw noRanges(common.name);
  return new HttpFile({ ...common, size: bytes.length, hasRanges: false, bytes });
}

interface HttpFileParts {
  readonly name: string;
  readonly size: number;
  /** Undefined where the server tells none. */
  readonly version: string | undefined;
  readonly hasRanges: boolean;
  readonly bytes: Buffer | undefined;
  readonly patience: Patience;
  ask(range: string): Promise<HttpAnswer>;
}

class HttpFile implements DataFile {
  readonly name: string;
  readonly size: number;
  readonly version: string | undefined;
  readonly #parts: HttpFileParts;

  constructor(parts: HttpFileParts) {
    this.name = parts.name;
    this.size = parts.size;
    this.version = parts.version;
    this.#parts = parts;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(this.size, offset + length);
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, end - offset));
    let filled = 0;
    for await (const piece of this.#pieces(offset, end)) {
      buffer.set(piece, filled);
      filled += piece.length;
    }
    return buffer;
  }

  async *stream(from: number, to: number, chunkBytes = CHUNK_BYTES): AsyncGenerator<Buffer> {
    const end = Math.min(this.size, to);
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(chunkBytes, end - from)));
    let filled = 0;
    for await (const piece of this.#pieces(from, end)) {
      for (let taken = 0; taken < piece.length; ) {
        const part = piece.subarray(taken, taken + buffer.length - filled);
        buffer.set(part, filled);
        taken += part.length;
        filled += part.length;
        if (filled < buffer.length) continue;
        yield buffer;
        filled = 0;
      }
    }
    if (filled > 0) yield buffer.subarray(0, filled);
  }

  /** The bytes as they come. Where the connection breaks, the rest is asked for again. */
  async *#pieces(from: number, to: number): AsyncGenerator<Uint8Array> {
    const { bytes, hasRanges, patience } = this.#parts;
    if (bytes) {
      yield bytes.subarray(from, to);
      return;
    }
    let at = from;
    for (let failures = 0; at < to; ) {
      if (!hasRanges && at > 0) throw noRanges(this.name);
      const answer = await this.#ask(at, to);
      let cause: unknown;
      try {
        for await (const chunk of answer.chunks()) {
          const piece = chunk.subarray(0, to - at);
          at += piece.length;
          failures = 0;
          yield piece;
          if (at === to) return;
        }
      } catch (error) {
        if (!isPassing(error)) throw error;
        cause = error;
      }
      if (++failures >= patience.tries) {
        const message = `${this.name} breaks off at byte ${at} of ${this.size}`;
        throw new KagurazakaError("source", message, { where: this.name, cause });
      }
      await sleep(waitBefore(failures, patience));
    }
  }

  async #ask(at: number, to: number): Promise<HttpAnswer> {
    const { hasRanges, version, ask } = this.#parts;
    const answer = await ask(`bytes=${at}-${to - 1}`);
    const { status, headers } = answer;
    try {
      if (status !== 200 && status !== 206 && status !== 416) throw refusedBy(this.name)(status, headers);
      const size = status === 200 ? Number(headers.get("content-length") ?? this.size) : sizeOf(headers);
      if (versionOf(headers) !== version || (size !== undefined && size !== this.size)) throw changed(this.name);
      const isAsked = status === 206 && headers.get("content-range")?.trim().startsWith(`bytes ${at}-`);
      if (!isAsked && (hasRanges || status !== 200)) {
        const message = `${this.name} is served by ranges at one time and not at another (HTTP ${status})`;
        throw new KagurazakaError("source", message, { where: this.name });
      }
    } catch (error) {
      await answer.discard();
      throw error;
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A tag says more than a time of one second. */
function versionOf(headers: Headers): string | undefined {
  return headers.get("etag") ?? headers.get("last-modified") ?? undefined;
}

// `bytes 0-0/1234`; without a range, `bytes */0`.
function sizeOf(headers: Headers): number | undefined {
  const size = /^\s*bytes\s+(?:\d+-\d+|\*)\/(\d+)\s*$/i.exec(headers.get("content-range") ?? "")?.[1];
  return size === undefined ? undefined : Number(size);
}

const reasons: Readonly<Record<number, string>> = {
  401: "the server wants a login",
  403: "the server refuses it",
  404: "there is no such file",
  410: "the file is gone",
  429: "rate limited",
};

const refusedBy =
  (name: string) =>
  (status: number, headers: Headers): KagurazakaError => {
    const after = headers.get("retry-after");
    const wait = after === null ? "" : ` It asks to wait ${/^\d+$/.test(after) ? `${after} s` : `until ${after}`}.`;
    const message = `cannot open ${name}: ${reasons[status] ?? "the server fails"} (HTTP ${status}).${wait}`;
    return new KagurazakaError("source", message, { where: name });
  };

function changed(name: string): KagurazakaError {
  return new KagurazakaError("source", `${name} changed while it was read`, {
    where: name,
    hint: "Start again when nobody writes it, or name a version that stays.",
  });
}

function noRanges(name: string): KagurazakaError {
  return new KagurazakaError("source", `the server of ${name} gives no ranges, and the file is larger than 64 MiB`, {
    where: name,
    hint: "Download it first, and give the path.",
  });
}
