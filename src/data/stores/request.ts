import { setTimeout as sleep } from "node:timers/promises";
import { KagurazakaError } from "../../base/errors.js";
import { maskText } from "../../base/mask.js";

/** How long a server is waited for. */
export interface Patience {
  readonly tries: number;
  /** Before the second try; doubled for each further one. */
  readonly firstWaitMs: number;
  /** Without a byte from the server. */
  readonly silenceMs: number;
}

export const usualPatience: Patience = { tries: 5, firstWaitMs: 500, silenceMs: 60_000 };

interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the host of the URL, and never to another one that it redirects to. */
  readonly authorization?: string | undefined;
  readonly patience?: Patience | undefined;
}

/** What a server answered, whatever its status. Its `chunks` are read, or it is discarded. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  chunks(): AsyncGenerator<Uint8Array>;
  discard(): Promise<void>;
}

const MAX_REDIRECTS = 10;
const MAX_WAIT_MS = 60_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const PASSING_CODES: ReadonlySet<string> = new Set(
  "ECONNRESET ECONNREFUSED ECONNABORTED EPIPE ETIMEDOUT EAI_AGAIN UND_ERR_SOCKET UND_ERR_CONNECT_TIMEOUT UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT ERR_SILENCE".split(
    " ",
  ),
);

/** A URL for people: without a password, and without what is secret in its parameters. */
export function nameOfUrl(url: string): string {
  if (!URL.canParse(url)) return maskText(url);
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return maskText(parsed.href);
}

/**
 * Gets a URL. A broken connection, an overloaded server and one that fails are asked again, as long as it is patient; then
 * the last answer is returned.
 * @throws KagurazakaError `source` where no answer came
 */
export async function request(wanted: HttpRequest): Promise<HttpAnswer> {
  const patience = wanted.patience ?? usualPatience;
  for (let tries = 1; ; tries++) {
    const isLast = tries >= patience.tries;
    let waitMs = waitBefore(tries, patience);
    try {
      const answer = await follow(wanted, patience);
      if (isLast || !PASSING.has(answer.status)) return answer;
      const asked = retryAfterMs(answer.headers);
      // A longer wait than that is the user's to decide.
      if (asked > MAX_WAIT_MS) return answer;
      waitMs = Math.max(waitMs, asked);
      await answer.discard();
    } catch (error) {
      if (KagurazakaError.is(error)) throw error;
      if (isLast || !isPassing(error)) throw cannotReach(wanted.url, error);
    }
    await sleep(waitMs);
  }
}

/** An answer with all of its body, which is asked for again where the connection breaks in it. */
export async function requestWhole(
  wanted: HttpRequest,
  mostBytes: number,
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Buffer }> {
  const patience = wanted.patience ?? usualPatience;
  for (let tries = 1; ; tries++) {
    const { status, headers, chunks } = await request(wanted);
    try {
      const body = await gather(chunks(), mostBytes);
      if (body !== undefined) return { status, headers, body };
    } catch (error) {
      if (tries >= patience.tries || !isPassing(error)) throw cannotReach(wanted.url, error);
      await sleep(waitBefore(tries, patience));
      continue;
    }
    const name = nameOfUrl(wanted.url);
    throw new KagurazakaError("source", `${name} answers with more than ${mostBytes} bytes`, { where: name });
  }
}

/** All chunks as one; undefined where they are more than `most` bytes. */
export async function gather(chunks: AsyncIterable<Uint8Array>, most: number): Promise<Buffer | undefined> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > most) return undefined;
    all.push(chunk);
  }
  return Buffer.concat(all, size);
}

/** How long to wait after so many failures: half of it by chance, so that many workers do not come back at once. */
export function waitBefore(failures: number, { firstWaitMs }: Patience): number {
  const most = Math.min(MAX_WAIT_MS, firstWaitMs * 2 ** (failures - 1));
  return most * (0.5 + Math.random() / 2);
}

/** Whether the same request may succeed later. */
export const isPassing = (error: unknown): boolean => PASSING_CODES.has(codeOf(error) ?? "");

function codeOf(error: unknown): string | undefined {
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown[] };
  if (typeof code === "string") return code;
  if (errors?.[0] !== undefined) return codeOf(errors[0]);
  return cause === undefined || cause === null ? undefined : codeOf(cause);
}

function cannotReach(url: string, cause: unknown): KagurazakaError {
  const code = codeOf(cause);
  const reason = code === "ERR_SILENCE" ? (cause as Error).message : (code ?? (cause as Error).message);
  const host = new URL(url).host;
  return new KagurazakaError("source", `cannot reach ${host}: ${reason}`, {
    where: nameOfUrl(url),
    hint: "Check the URL and the network.",
    cause,
  });
}

function retryAfterMs(headers: Headers): number {
  const value = headers.get("retry-after");
  if (value === null) return 0;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** Follows redirects itself: `fetch` would have to be trusted with what it sends to another host. */
async function follow(wanted: HttpRequest, patience: Patience): Promise<HttpAnswer> {
  let url = parseUrl(wanted.url);
  let authorization = wanted.authorization ?? loginOf(url);
  for (let redirects = 0; ; redirects++) {
    url.username = "";
    url.password = "";
    const answer = await send(url, { ...wanted.headers, ...(authorization && { authorization }) }, patience);
    const location = answer.headers.get("location");
    if (!REDIRECTS.has(answer.status) || location === null) return answer;
    await answer.discard();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    const isSafe = next?.protocol === "https:" || (next?.protocol === "http:" && url.protocol === "http:");
    if (!next || !isSafe || redirects === MAX_REDIRECTS) {
      const what = isSafe ? "redirects in a circle" : `redirects to ${maskText(location)}, which is not followed`;
      throw new KagurazakaError("source", `${nameOfUrl(wanted.url)} ${what}`, { where: nameOfUrl(wanted.url) });
    }
    if (next.origin !== url.origin) authorization = undefined;
    url = next;
  }
}

function parseUrl(url: string): URL {
  if (URL.canParse(url)) return new URL(url);
  throw new KagurazakaError("source", `${maskText(url)} is not a URL`, { where: maskText(url) });
}

function loginOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(login).toString("base64")}`;
}

async function send(url: URL, headers: Record<string, string>, { silenceMs }: Patience): Promise<HttpAnswer> {
  const controller = new AbortController();
  /** Counts only while something is waited for: a slow reader is not a silent server. */
  const unlessSilent = async <T>(answer: Promise<T>): Promise<T> => {
    const silence = Object.assign(new Error(`no byte for ${Math.round(silenceMs / 1000)} s`), { code: "ERR_SILENCE" });
    const timer = setTimeout(() => controller.abort(silence), silenceMs);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  };
  // Packed bodies would have other bytes than the file.
  const init = {
    headers: { "accept-encoding": "identity", ...headers },
    redirect: "manual",
    signal: controller.signal,
  } as const;
  const response = await unlessSilent(fetch(url, init));
  return {
    status: response.status,
    headers: response.headers,
    async *chunks() {
      const reader = response.body?.getReader();
      if (!reader) return;
      try {
        for (;;) {
          const { done, value } = await unlessSilent(reader.read());
          if (done) return;
          yield value;
        }
      } finally {
        await reader.cancel().catch(() => {});
      }
    },
    async discard() {
      await response.body?.cancel().catch(() => {});
    },
  };
}
