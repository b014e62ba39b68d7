import { Cluster, Redis, type RedisOptions } from "ioredis";
import { type BackboneOptions, KagurazakaError } from "../../src/kit.js";
import { type Address, parseAddress } from "./address.js";

/** A connection to one Redis server, or to a cluster, where all our keys are in one slot. */
export type Client = Redis | Cluster;

const OLDEST = [6, 2];
const CONNECT_TIMEOUT_MS = 10_000;
const NO_ANSWER = "no answer";
/** For commands of which one did not succeed although Redis can be reached: it is full, or starting, or failing over. */
const PASSING = /^(?:OOM|LOADING|MASTERDOWN|READONLY|TRYAGAIN|CLUSTERDOWN|BUSY|NOREPLICAS|MISCONF)\b/;
const AGAIN_MS = 500;

/** The connections of one process to Redis. */
export class RedisConnections implements AsyncDisposable {
  readonly address: Address;
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly #clients: Client[] = [];
  readonly #main: Client;
  #isClosed = false;
  #lastError: Error | undefined;

  constructor(options: BackboneOptions) {
    const url = (options.redis as string | undefined) ?? process.env.KAGURAZAKA_REDIS;
    if (url === undefined || url === "") {
      const hint = "Give --redis redis://HOST:6379, or set KAGURAZAKA_REDIS.";
      throw new KagurazakaError("backbone", "no Redis is given", { where: "--redis", hint });
    }
    this.address = parseAddress(url);
    // One slot of a cluster for all keys of a fleet: scripts and transactions touch several.
    this.prefix = `{${options.redisPrefix as string}}`;
    this.timeoutMs = options.redisTimeout as number;
    this.#main = this.connect();
  }

  get main(): Client {
    return this.#main;
  }

  /** One more connection, for commands that block. */
  connect(): Client {
    const common: RedisOptions = {
      // Commands wait while Redis cannot be reached, and are sent again.
      maxRetriesPerRequest: null,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: (times) => Math.min(1000, 50 * times),
      lazyConnect: true,
      ...this.address.login,
      ...(this.address.tls ? { tls: {} } : {}),
    };
    const { kind, hosts, db, name } = this.address;
    const client =
      kind === "cluster"
        ? new Cluster([...hosts], {
            redisOptions: common,
            lazyConnect: true,
            clusterRetryStrategy: (times) => Math.min(1000, 50 * times),
          })
        : kind === "sentinel"
          ? new Redis({
              ...common,
              db,
              name: name!,
              sentinels: [...hosts],
              ...(this.address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
            })
          : new Redis({ ...common, ...hosts[0]!, db });
    client.on("error", (error: Error) => {
      this.#lastError = error;
    });
    this.#clients.push(client);
    return client;
  }

  /** Connects, and refuses a Redis that cannot serve. @throws KagurazakaError where it cannot be reached at once */
  async open(onWarning: (message: string) => void): Promise<void> {
    const shown = this.address.shown;
    let timer: NodeJS.Timeout | undefined;
    try {
      const whenFailed = new Promise<never>((_, reject) => {
        this.#main.once("error", reject);
        this.#main.once("end", () => reject(this.#lastError ?? new Error("the connection was closed")));
        const waitMs = Math.min(CONNECT_TIMEOUT_MS, this.timeoutMs);
        timer = setTimeout(() => reject(this.#lastError ?? new Error(NO_ANSWER)), waitMs);
      });
      whenFailed.catch(() => {});
      const connected = this.#main.connect();
      connected.catch(() => {});
      await Promise.race([connected, whenFailed]);
      const about = await Promise.race([this.#main.info(), whenFailed]);
      for (const warning of this.#check(about)) onWarning(warning);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw KagurazakaError.is(error) ? error : refused(shown, error as Error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What Redis says of itself. */
  #check(info: string): string[] {
    const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
    const { shown, hosts, login, tls } = this.address;
    const version = field("redis_version") ?? "0";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major < OLDEST[0]! || (major === OLDEST[0]! && minor < OLDEST[1]!)) {
      const hint = `kagurazaka needs Redis ${OLDEST.join(".")} or later, or Valkey.`;
      throw new KagurazakaError("queue", `Redis at ${shown} is version ${version}`, { where: "--redis", hint });
    }
    const warnings: string[] = [];
    const policy = field("maxmemory_policy");
    if (field("maxmemory") !== "0" && policy !== undefined && policy !== "noeviction")
      warnings.push(
        `Redis at ${shown} may remove keys when it is full (maxmemory-policy ${policy}). What it removes is sent again. Set the policy to noeviction.`,
      );
    const isNear = hosts.every(({ host }) => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host));
    const missing = [login.password === undefined ? "no password" : "", tls ? "" : "no TLS"].filter(
      (one) => one !== "",
    );
    if (!isNear && missing.length > 0)
      warnings.push(
        `the connection to Redis at ${shown} has ${missing.join(" and ")}: on this network others may read items and send chunks. Use rediss://USER:PASSWORD@HOST.`,
      );
    return warnings;
  }

  /**
   * Tries a command again while Redis answers that it cannot do it now. @param onTrouble told once, with the reason
   * @throws KagurazakaError where Redis has not done it for the time of `--redis_timeout`
   */
  async persist<T>(command: () => Promise<T>, onTrouble?: (why: string) => void): Promise<T> {
    const startedMs = performance.now();
    for (let tries = 1; ; tries++) {
      try {
        return await command();
      } catch (error) {
        if (this.#isClosed || !isPassing(error)) throw error;
        if (tries === 1) onTrouble?.(reasonOf(error));
        const triedMs = performance.now() - startedMs;
        if (triedMs > this.timeoutMs) throw this.silent(triedMs, error);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** @throws KagurazakaError where the answer has not come within the time of `--redis_timeout` */
  async inTime<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => {});
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.silent(this.timeoutMs, undefined)), this.timeoutMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The clock of Redis, in milliseconds. */
  async nowMs(): Promise<number> {
    const [seconds, micros] = await this.#main.time();
    return Number(seconds) * 1000 + Math.round(Number(micros) / 1000);
  }

  /** Redis has not done what it was told for so long. @param last what it answered last, if it did */
  silent(ms: number, last: unknown): KagurazakaError {
    const { shown } = this.address;
    const said = isPassing(last) ? `has taken nothing for ${Math.round(ms / 1000)} s: ${reasonOf(last)}` : undefined;
    const message = `Redis at ${shown} ${said ?? `has not answered for ${Math.round(ms / 1000)} s`}`;
    const hint = said === undefined ? "Start it, and try again." : "Is it full? Raise its maxmemory, and try again.";
    return new KagurazakaError("queue", message, { hint, cause: last });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const client of this.#clients) client.disconnect();
  }
}

/** The first error of a transaction says more than that the transaction was discarded. */
function reasonOf(error: unknown): string {
  const { message, previousErrors } = error as Error & { previousErrors?: readonly Error[] };
  return previousErrors?.[0]?.message ?? message;
}

const isPassing = (error: unknown): boolean => error instanceof Error && PASSING.test(reasonOf(error));

function refused(shown: string, error: Error): KagurazakaError {
  const { message } = error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const [why, hint] = /WRONGPASS|invalid password|invalid username/i.test(message)
    ? ["it refuses the user or the password", "Check USER:PASSWORD in the URL."]
    : /NOAUTH|Authentication required/i.test(message)
      ? ["it asks for a password", "Give it in the URL: redis://:PASSWORD@HOST."]
      : /certificate|self.signed|altname|UNABLE_TO_VERIFY|ERR_TLS/i.test(`${code} ${message}`)
        ? [
            `its certificate is not accepted (${message})`,
            "Name the host as the certificate does, and its authority's file in NODE_EXTRA_CA_CERTS.",
          ]
        : /wrong version number|packet length|ECONNRESET|EPROTO/i.test(`${code} ${message}`) || message === NO_ANSWER
          ? [
              message === NO_ANSWER ? message : `the connection was broken off (${message})`,
              "Does the server speak TLS (rediss://) or not (redis://)?",
            ]
          : [
              message || code || "no connection",
              /ECONNREFUSED/.test(`${code} ${message}`)
                ? "Start it, for example with `docker compose up -d redis` or `redis-server`, and check --redis."
                : "Check --redis: the host, the port, the database.",
            ];
  return new KagurazakaError("queue", `Redis at ${shown} cannot be used: ${why}`, {
    where: "--redis",
    hint,
    cause: error,
  });
}
