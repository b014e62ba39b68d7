import { linkSync, renameSync, statSync } from "node:fs";
import { type OutputFile, PermanentError, type TaskContext } from "kagurazaka";
import { type Answer, type Client, discard } from "./client.js";
import type { Visitor } from "./host-gates.js";
import { encodingOf, isWorthKeeping, KeptPart } from "./kept-part.js";
import { failure, refusalOf, troubleOf } from "./refusal.js";
import { type Algorithm, type Source, shown } from "./source.js";
import { Digests, unpackOf, writeBody } from "./write-body.js";

interface DownloadPlan {
  readonly source: Source;
  readonly output: OutputFile;
  /** Where the next attempt finds what this one leaves. */
  readonly ctx: Pick<TaskContext, "hasKept" | "keptDir">;
  /** The largest file to take, in bytes, also after unpacking. */
  readonly maxBytes: number;
  /** Checksums to compute besides those of the list. */
  readonly alsoSum: readonly Algorithm[];
  readonly visitor: Visitor;
  onProgress(): void;
  /** Called with each answer first; the error returned is thrown. */
  onAnswer(answer: Answer): Error | undefined;
}

interface Downloaded {
  /** The URL after redirects, without a password. */
  readonly url: string;
  readonly bytes: number;
  readonly sums: Partial<Record<Algorithm, string>>;
}

/** One file, from where an earlier attempt left off, to `output.path`. A failure leaves the part for the next attempt. */
export class Download {
  readonly #plan: DownloadPlan;
  readonly #client: Client;
  readonly #kept: KeptPart;
  #from: URL;
  #digests: Digests;
  /** Bytes of an earlier request are in it. */
  #resumed = false;

  constructor(plan: DownloadPlan, client: Client) {
    this.#plan = plan;
    this.#client = client;
    this.#from = plan.source.url;
    this.#kept = new KeptPart(plan.ctx, plan.source.url);
    this.#digests = this.#newDigests();
  }

  async run(): Promise<Downloaded> {
    try {
      for (;;) {
        const path = await this.#request();
        if (path === undefined) continue;
        const bytes = statSync(path).size;
        const sums = this.#digests.end();
        const wrong = this.#findWrong(bytes, sums);
        if (wrong === undefined) {
          if (path !== this.#plan.output.path) this.#placeKept();
          return { url: shown(this.#from), bytes, sums };
        }
        // The parts may be of two versions of the file. A file that came in one piece is what the server has.
        if (!this.#resumed) throw failure(wrong, this.#from);
        this.#startOver();
      }
    } catch (thrown) {
      if (thrown instanceof PermanentError) this.#kept.drop();
      throw thrown;
    }
  }

  /** The path of the whole file; undefined when it takes another request. */
  async #request(): Promise<string | undefined> {
    const { source, visitor, onProgress } = this.#plan;
    const kept = this.#kept;
    const from = kept.size;
    this.#resumed = from > 0;
    this.#digests = this.#newDigests();
    if (from > 0) await this.#digests.addFile(kept.path, onProgress, visitor.signal);
    // An earlier run was killed between the last byte and the outcome.
    if (from > 0 && kept.complete) return kept.path;
    const answer = await this.#client.get(source.url, kept.rangeHeaders(), visitor);
    this.#from = answer.url;
    try {
      return await this.#take(answer, from);
    } catch (thrown) {
      discard(answer.response);
      throw thrown;
    }
  }

  async #take(answer: Answer, from: number): Promise<string | undefined> {
    const { response, url } = answer;
    const refused = this.#plan.onAnswer(answer);
    if (refused) throw refused;
    const status = response.statusCode!;
    if (status === 200) return this.#takeWhole(answer);
    if (from === 0 || (status !== 206 && status !== 416)) throw refusalOf(response, url);
    if (status === 206 && this.#kept.continueWith(response)) return this.#takeRest(answer);
    discard(response);
    if (status === 416 && this.#kept.isEndedBy(response)) return this.#kept.path;
    this.#startOver();
    return undefined;
  }

  async #takeWhole(answer: Answer): Promise<string> {
    const { response } = answer;
    const { source, output } = this.#plan;
    const unpack = unpackOf(encodingOf(response), output.fileName);
    const length = response.headers["content-length"];
    if (unpack === undefined && length !== undefined) this.#checkLength(Number(length), answer.url);
    this.#startOver();
    const keep = isWorthKeeping(response, source.sums.length > 0);
    if (keep) this.#kept.begin(response);
    const path = keep ? this.#kept.path : output.path;
    await this.#write(answer, { path, append: false, unpack });
    return path;
  }

  async #takeRest(answer: Answer): Promise<string | undefined> {
    const { total, path, size } = this.#kept;
    const bytes = await this.#write(answer, { path, append: true, unpack: undefined });
    const now = this.#kept.size;
    const fits = now === size + bytes && (total === null || now <= total);
    if (fits && total !== null && now === total) return path;
    // Some servers send a range in pieces; where no answer has the length of the whole, a request behind its end shows it (416).
    if (fits && bytes > 0) return undefined;
    this.#kept.drop();
    const whole = total === null ? "one file" : `a file of ${total} bytes`;
    throw troubleOf(new Error(`the part and the rest do not make ${whole}`), answer.url);
  }

  async #write({ response, url }: Answer, to: Parameters<typeof writeBody>[1]): Promise<number> {
    const { visitor, onProgress } = this.#plan;
    const before = to.append ? this.#kept.size : 0;
    let bytes = before;
    const onChunk = (chunk: Uint8Array): void => {
      bytes += chunk.length;
      const tooMany = this.#tooMany(bytes);
      if (tooMany) throw failure(tooMany, url);
      this.#digests.update(chunk);
      onProgress();
    };
    try {
      return await writeBody(response, to, { onChunk, signal: visitor.signal });
    } catch (thrown) {
      if (visitor.signal.aborted) throw visitor.signal.reason;
      if (thrown instanceof PermanentError) throw thrown;
      const length = response.headers["content-length"];
      const all = length === undefined || to.unpack !== undefined ? "" : ` of ${before + Number(length)}`;
      throw troubleOf(thrown, url, ` after ${bytes}${all} bytes`);
    }
  }

  /** Before anything is downloaded. */
  #checkLength(bytes: number, url: URL): void {
    const wrong = this.#plan.source.bytes !== undefined && bytes !== this.#plan.source.bytes;
    if (wrong) throw failure(this.#wrongLength(bytes), url);
    const tooMany = this.#tooMany(bytes);
    if (tooMany) throw failure(tooMany, url);
  }

  /** Why no more bytes than these are taken. */
  #tooMany(bytes: number): string | undefined {
    const { source, maxBytes } = this.#plan;
    if (source.bytes !== undefined && bytes > source.bytes)
      return `has more than the ${source.bytes} bytes of the list`;
    return bytes > maxBytes ? `has more than ${maxBytes} bytes, the limit of --max_size` : undefined;
  }

  #wrongLength(bytes: number): string {
    return `has ${bytes} bytes, the list says ${this.#plan.source.bytes}`;
  }

  #findWrong(bytes: number, sums: Downloaded["sums"]): string | undefined {
    const { source } = this.#plan;
    if (source.bytes !== undefined && bytes !== source.bytes) return this.#wrongLength(bytes);
    const wrong = source.sums.find(({ algorithm, digest }) => sums[algorithm] !== digest);
    return wrong && `${wrong.algorithm} is ${sums[wrong.algorithm]}, the list says ${wrong.digest}`;
  }

  /** A second name, so that a kill before the outcome is recorded still finds the part. */
  #placeKept(): void {
    const { path } = this.#plan.output;
    try {
      linkSync(this.#kept.path, path);
    } catch {
      // Some file systems have no second names.
      renameSync(this.#kept.path, path);
    }
  }

  #startOver(): void {
    this.#kept.drop();
    this.#resumed = false;
    this.#digests = this.#newDigests();
  }

  #newDigests(): Digests {
    const { source, alsoSum } = this.#plan;
    return new Digests([...source.sums.map(({ algorithm }) => algorithm), ...alsoSum]);
  }
}
