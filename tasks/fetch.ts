import { statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  defineOptions,
  FinishCheckByOutputFileExistence,
  InputByLines,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByTemplate,
  type OutputFile,
  PermanentError,
  RetryAfterError,
  type TaskContext,
} from "kagurazaka";
import { type Answer, Client } from "./fetch/client.js";
import { Download } from "./fetch/download.js";
import { HostGates } from "./fetch/host-gates.js";
import { hashOfUrl, pathOfUrl } from "./fetch/name.js";
import { Patience } from "./fetch/patience.js";
import { patienceOf, refusalOf } from "./fetch/refusal.js";
import { algorithms, type FetchRecord, readSource } from "./fetch/source.js";

const options = defineOptions({
  perHostConcurrency: { type: "integer", min: 1, default: 4, help: "requests to one host at once; those behind wait" },
  perHostRate: {
    type: "number",
    placeholder: "N/s|N/m|N/h",
    parse: parseRate,
    help: "requests to one host per second, minute or hour; default: no bound",
  },
  connectTimeout: { type: "duration", default: 10_000, min: 1, help: "longest wait for a connection" },
  idleTimeout: {
    type: "duration",
    default: 30_000,
    min: 1,
    help: "longest time without a byte; then the item is tried again",
  },
  maxWait: {
    type: "duration",
    default: 3_600_000,
    min: 0,
    help: "longest time an item waits, all in all, because a server asks for patience (Retry-After); then it fails",
  },
  maxSize: {
    type: "size",
    default: 100e9,
    min: 1,
    help: "largest file, also after a content encoding was undone; a larger one fails; default: 100GB",
  },
  names: {
    type: "string",
    choices: ["path", "hash"],
    default: "path",
    help: "keys, and so files, of records without one: host and path of the URL, or 3f/3f0c….jpg",
  },
  header: {
    type: "strings",
    default: [],
    placeholder: '"NAME: VALUE"',
    secret: true,
    help: "sent with every request, but not where a host redirects to another; secrets: ${oc.env:NAME} in --cfg",
  },
  userAgent: { type: "string", default: "kagurazaka", help: "who asks; some hosts want an address here" },
  writeSum: {
    type: "string",
    choices: ["none", ...algorithms],
    default: "none",
    help: "a file beside each, as sha256sum -c reads it: a.jpg.sha256",
  },
  allowDowngrade: { type: "boolean", default: false, help: "follow redirects from https to http" },
});

type FetchItem = FetchRecord & { readonly output: OutputFile };

/**
 * Files of URLs, one a line:
 *
 *   kagurazaka @fetch --lines urls.txt --out files
 *   kagurazaka @fetch --mixin 'input_mode={use: InputFromWhateverJsonl, jsonl_path: list.jsonl}' --out files
 *
 * A line may name the file behind a tab. A record has a `url`, and may have `file` (where it goes, else host and path of the
 * URL), `bytes`, and `sha256`, `sha512`, `sha1` or `md5`, which are checked. A download that was cut goes on where it stopped,
 * in this run or the next. Limits per host hold in one worker. `--shuffle` mixes the hosts of a sorted list.
 */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: ".", outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByLines({ linesPath: KAGURAZAKA_MIXIN_PLACEHOLDER, as: "text" }),
  outputMode: OutputByTemplate({ pattern: "{key}" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export default class Fetch extends KagurazakaTask<FetchItem, typeof options> {
  static id = "fetch";
  static help =
    "Files of URLs, one a line: kagurazaka @fetch --lines urls.txt --out files. A line may name the file behind a tab; records of " +
    "JSONL or CSV have url, and may have file, bytes, sha256, sha512, sha1 or md5.";
  static options = options;
  // Requests only wait; and limits per host hold in one worker.
  static defaults = { num_process: 1, concurrency: 32 };
  #gates!: HostGates;
  #client!: Client;
  #patience!: Patience;

  override keyOf(record: FetchRecord) {
    const { url, file } = readSource(record);
    return file ?? (this.options.names === "hash" ? hashOfUrl(url) : pathOfUrl(url));
  }

  override setup() {
    const { perHostConcurrency, perHostRate, connectTimeout, idleTimeout, maxWait, header, userAgent, allowDowngrade } =
      this.options;
    this.#gates = new HostGates({ atOnce: perHostConcurrency, perSecond: perHostRate });
    this.#patience = new Patience(maxWait);
    this.#client = new Client(
      { connectTimeoutMs: connectTimeout, idleTimeoutMs: idleTimeout, userAgent, headers: header, allowDowngrade },
      this.#gates,
    );
  }

  override teardown() {
    this.#client.close();
  }

  async process(item: FetchItem, ctx: TaskContext) {
    const { output } = item;
    refuseBlocked(output);
    const sum = this.options.writeSum === "none" ? [] : [this.options.writeSum];
    const download = new Download(
      {
        source: readSource(item),
        output,
        ctx,
        maxBytes: this.options.maxSize,
        alsoSum: sum,
        visitor: {
          signal: ctx.signal,
          onPaused: (host, ms) =>
            this.#patience.hasRoom
              ? this.#patience.putOff(ctx.key, host, ms, `"${host}" is not to be asked now`)
              : undefined,
        },
        onProgress: () => ctx.progress(),
        onAnswer: (answer) => this.#heedPatience(ctx.key, answer),
      },
      this.#client,
    );
    try {
      const { sums, ...rest } = await download.run();
      for (const algorithm of sum)
        writeFileSync(`${output.path}.${algorithm}`, `${sums[algorithm]}  ${output.fileName}\n`);
      this.#patience.forget(ctx.key);
      return { ...rest, ...sums };
    } catch (thrown) {
      if (!(thrown instanceof RetryAfterError)) this.#patience.forget(ctx.key);
      throw thrown;
    }
  }

  #heedPatience(key: string, { response, url }: Answer): Error | undefined {
    const ms = patienceOf(response);
    if (ms === undefined) return undefined;
    this.#gates.pause(url.host, ms);
    return this.#patience.putOff(key, url.host, ms, refusalOf(response, url).message);
  }
}

/** Refuses, before the download, a file that could not be published afterwards. */
function refuseBlocked({ finalPath, relDir, fileName }: OutputFile): void {
  if (isBelowFile(finalPath))
    throw new PermanentError(`"${relDir}" is to be a folder, but a file of that name is there; --names hash avoids it`);
  if (statSync(finalPath, { throwIfNoEntry: false })?.isDirectory())
    throw new PermanentError(
      `"${fileName}" is to be a file, but a folder of that name is there; --names hash avoids it`,
    );
}

/** Newer versions of Node report "below a file" as "not there": the nearest path that exists shows which it is. */
function isBelowFile(path: string): boolean {
  for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
    try {
      const there = statSync(dir, { throwIfNoEntry: false });
      if (there) return !there.isDirectory();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
    }
  }
  return false;
}

function parseRate(text: string): number {
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*(?:\/\s*([smh]))?\s*$/.exec(text) ?? [];
  if (unit === undefined && Number(amount) > 0)
    throw new Error(`a rate with its time (write ${amount}/s, ${amount}/m or ${amount}/h)`);
  const perSecond = Number(amount) / { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
  if (perSecond > 0) return perSecond;
  throw new Error('a rate above 0 like "5/s" or "100/m"');
}
