import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Outcome, runTask } from "../../dist/src/index.js";
import { createPlace, type Place, until } from "../e2e/kagurazaka.js";
import {
  type Behaviour,
  bytesOf,
  cut,
  cutChunked,
  firstOf,
  inTurn,
  ranged,
  refuse,
  type Seen,
  startServer,
  whole,
} from "./fetch/misbehaving-server.js";

process.env.KAGURAZAKA_CACHE_DIR ??= createPlace().path("cache");

type Options = Parameters<typeof runTask>[1];

interface Fetched {
  readonly place: Place;
  readonly result: Awaited<ReturnType<typeof runTask>>;
  readonly outcomes: readonly Outcome[];
  /** The only one. */
  readonly outcome: Outcome;
  read(file: string): Buffer;
  /** What is left of downloads that did not end. */
  readonly kept: readonly string[];
}

/** `@fetch` over these records, 16 at once, in this process. */
async function fetchAll(
  records: readonly object[],
  { place = createPlace(), ...options }: Options & { place?: Place } = {},
): Promise<Fetched> {
  place.write({ "list.jsonl": records.map((record) => `${JSON.stringify(record)}\n`).join("") });
  const outcomes: Outcome[] = [];
  const result = await runTask("@fetch", {
    backbone: "inline",
    concurrency: 16,
    backoff: "10ms",
    maxFailures: "none",
    ...options,
    mixin: {
      inputMode: { use: "InputFromWhateverJsonl", jsonlPath: place.path("list.jsonl") },
      hardShardMode: { outputPath: place.path("out") },
    },
    hooks: { onOutcome: (outcome) => void outcomes.push(outcome) },
  });
  return {
    place,
    result,
    outcomes,
    get outcome() {
      expect(outcomes).toHaveLength(1);
      return outcomes[0]!;
    },
    read: (file) => readFileSync(place.path("out", file)),
    kept: place.everything("out/.kagurazaka").filter((path) => path.includes("kept")),
  };
}

const mega = 1024 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Sizes of the parts that downloads keep. */
const keptSizes = (place: Place): number[] =>
  place
    .everything("out/.kagurazaka/kept")
    .filter((path) => path.endsWith("/part"))
    .map((path) => statSync(place.path("out/.kagurazaka/kept", path), { throwIfNoEntry: false })?.size ?? 0);

/** What was asked for: all of it, or the rest of it. What a connection still held when it was cut is lost with it. */
const askedFor = (requests: readonly Seen[], at: number): string[] =>
  requests.map((request) => {
    const first = firstOf(request);
    if (request.headers.range === undefined) return "all";
    return first > at - 200_000 && first <= at ? "rest" : `from ${first}`;
  });

/** Fetches one path that behaves so, as `file`; the server's view of it besides. */
async function fetchOne(behaviour: Behaviour, record: object = {}, options: Parameters<typeof fetchAll>[1] = {}) {
  const server = await startServer({ "/file.bin": behaviour });
  const fetched = await fetchAll([{ url: `${server.origin}/file.bin`, file: "file.bin", ...record }], options);
  return { ...fetched, outcome: fetched.outcomes[0]!, server, requests: server.seenOf("/file.bin") };
}

describe.concurrent("a download that was cut", () => {
  const body = bytesOf(2 * mega);
  const etag = { etag: '"one"' };
  const at = 700_000;

  test("goes on where it stopped, and what came before is not sent again", async () => {
    const { outcome, read, requests, kept } = await fetchOne(inTurn(cut(body, at, etag), ranged(body, etag)));
    expect(outcome).toMatchObject({ status: "done", attempts: 2, value: { bytes: body.length } });
    expect(read("file.bin").equals(body)).toBe(true);
    expect(askedFor(requests, at)).toEqual(["all", "rest"]);
    expect(requests.map(({ headers }) => headers["if-range"])).toEqual([undefined, '"one"']);
    expect(requests[1]!.sent).toBe(body.length - firstOf(requests[1]!));
    expect(requests[0]!.headers["accept-encoding"]).toBe("identity");
    expect(kept).toEqual([]);
  });

  test("goes on again and again", async () => {
    const again: Behaviour = ({ request, response }) => {
      const first = firstOf(request);
      const range = `bytes ${first}-${body.length - 1}/${body.length}`;
      response.writeHead(206, { ...etag, "content-range": range, "content-length": body.length - first });
      response.write(body.subarray(first, first + 300_000), () =>
        setTimeout(() => response.socket?.destroySoon(), 100),
      );
    };
    const behaviour = inTurn(cut(body, at, etag), again, again, ranged(body, etag));
    const { outcome, read, requests } = await fetchOne(behaviour, {}, { retries: 3 });
    expect(outcome).toMatchObject({ status: "done", attempts: 4 });
    expect(read("file.bin").equals(body)).toBe(true);
    const firsts = requests.map(firstOf);
    expect(firsts, "each goes further than the one before").toEqual(firsts.toSorted((a, b) => a - b));
    expect(new Set(firsts).size).toBe(4);
  });

  test("takes a range in pieces, where the server sends less than was asked for", async () => {
    const piece: Behaviour = ({ request, response }) => {
      const first = firstOf(request);
      const part = body.subarray(first, first + 500_000);
      response.writeHead(206, { ...etag, "content-range": `bytes ${first}-${first + part.length - 1}/${body.length}` });
      response.end(part);
    };
    const { outcome, read, requests } = await fetchOne(inTurn(cut(body, at, etag), piece));
    expect(outcome).toMatchObject({ status: "done", attempts: 2 });
    expect(requests).toHaveLength(4);
    expect(read("file.bin").equals(body)).toBe(true);
  });

  test("goes on to the end where no answer says how long the whole is", async () => {
    const piece: Behaviour = (exchange) => {
      const first = firstOf(exchange.request);
      if (first >= body.length) return refuse(416, { "content-range": `bytes */${body.length}` })(exchange);
      const part = body.subarray(first, first + 500_000);
      exchange.response.writeHead(206, {
        ...etag,
        "content-range": `bytes ${first}-${first + part.length - 1}/*`,
        "content-length": part.length,
      });
      exchange.response.end(part);
    };
    const { outcome, read } = await fetchOne(inTurn(cutChunked(body, at, etag), piece));
    expect(outcome).toMatchObject({ status: "done", attempts: 2, value: { bytes: body.length } });
    expect(read("file.bin").equals(body)).toBe(true);
  });

  test("starts over where the server neither says how long the whole is nor, behind the end, that it is the end", async () => {
    const piece: Behaviour = ({ request, response }) => {
      const first = firstOf(request);
      if (first >= body.length) return void response.writeHead(416).end();
      response.writeHead(206, { ...etag, "content-range": `bytes ${first}-${body.length - 1}/*` });
      response.end(body.subarray(first));
    };
    const behaviour = inTurn(cutChunked(body, at, etag), piece, piece, whole(body, etag));
    const { outcome, read, requests } = await fetchOne(behaviour);
    expect(outcome).toMatchObject({ status: "done", value: { bytes: body.length } });
    expect(requests).toHaveLength(4);
    expect(read("file.bin").equals(body)).toBe(true);
  });

  const other = bytesOf(2 * mega, 99);
  const dated = (time: number) => ({ "last-modified": new Date(time).toUTCString() });
  const yesterday = dated(Date.now() - 86_400_000);
  /** Answers with other bytes, and says of them what it likes. */
  const lying =
    (rangeFor: (first: number) => string, headers: Readonly<Record<string, string>> = etag): Behaviour =>
    ({ request, response }) => {
      const length = body.length - firstOf(request);
      response.writeHead(206, { "content-range": rangeFor(firstOf(request)), "content-length": length, ...headers });
      response.end(other.subarray(0, length));
    };
  const rest = (first: number): string => `bytes ${first}-${body.length - 1}/${body.length}`;

  test.each<[string, Behaviour, asked: string[]]>([
    ["starts over where the server knows no ranges", inTurn(cut(body, at, etag), whole(body, etag)), ["all", "rest"]],
    [
      "starts over where the file has changed",
      inTurn(cut(other, at, { etag: '"old"' }), ranged(body, etag)),
      ["all", "rest"],
    ],
    [
      "starts over where the file has changed and the server does not heed If-Range",
      inTurn(cut(other, at, { etag: '"old"' }), lying(rest, { etag: '"new"' }), ranged(body, etag)),
      ["all", "rest", "all"],
    ],
    [
      "starts over where the answer begins elsewhere",
      inTurn(
        cut(body, at, etag),
        lying(() => `bytes 0-${mega - 1}/${body.length}`),
        ranged(body, etag),
      ),
      ["all", "rest", "all"],
    ],
    [
      "starts over where the answer is of a file of another length",
      inTurn(
        cut(body, at, etag),
        lying((first) => `bytes ${first}-${body.length}/${body.length + 1}`),
        ranged(body, etag),
      ),
      ["all", "rest", "all"],
    ],
    [
      "starts over where the answer does not say what it is",
      inTurn(cut(body, at, etag), ({ response }) => void response.writeHead(206, etag).end(other), ranged(body, etag)),
      ["all", "rest", "all"],
    ],
    [
      "starts over where the range is packed",
      inTurn(cut(body, at, etag), lying(rest, { ...etag, "content-encoding": "gzip" }), ranged(body, etag)),
      ["all", "rest", "all"],
    ],
    [
      "starts over where the server finds nothing behind the part of a file of unknown length, and it is shorter now",
      inTurn(
        cutChunked(other, at, etag),
        refuse(416, { "content-range": `bytes */${at - 300_000}` }),
        ranged(body, etag),
      ),
      ["all", "rest", "all"],
    ],
    [
      "starts over where the server finds nothing behind the part, and the file is shorter now",
      inTurn(cut(other, at, etag), refuse(416, { "content-range": `bytes */${at - 1}` }), ranged(body, etag)),
      ["all", "rest", "all"],
    ],
    [
      "starts over with a weak ETag, which promises no bytes",
      inTurn(cut(body, at, { etag: 'W/"one"' }), whole(body)),
      ["all", "all"],
    ],
    ["goes on by Last-Modified", inTurn(cut(body, at, yesterday), ranged(body, yesterday)), ["all", "rest"]],
    [
      "starts over by a Last-Modified of this very second, in which the file may have changed again",
      inTurn((exchange) => cut(body, at, dated(Date.now() + 60_000))(exchange), whole(body)),
      ["all", "all"],
    ],
    ["starts over where nothing tells versions apart", inTurn(cut(body, at), whole(body)), ["all", "all"]],
    [
      "starts over where the server wants no ranges",
      inTurn(cut(body, at, { ...etag, "accept-ranges": "none" }), whole(body)),
      ["all", "all"],
    ],
  ])("%s", async (_title, behaviour, asked) => {
    const { outcome, read, requests, kept } = await fetchOne(behaviour);
    expect(outcome).toMatchObject({ status: "done", attempts: 2 });
    expect(askedFor(requests, at)).toEqual(asked);
    expect(read("file.bin").equals(body)).toBe(true);
    expect(kept).toEqual([]);
  });

  test("is whole when the server finds nothing behind it (416)", async () => {
    const place = createPlace();
    // All bytes of a body without a length, but not its end.
    const endless: Behaviour = ({ response }) => {
      response.writeHead(200, etag);
      response.write(body);
      const arrived = (): boolean => keptSizes(place).includes(body.length);
      void until("all bytes are kept", arrived).then(() => response.socket?.destroySoon());
    };
    const { outcome, read, requests } = await fetchOne(inTurn(endless, ranged(body, etag)), {}, { place });
    expect(outcome).toMatchObject({ status: "done", attempts: 2 });
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${body.length}-`]);
    expect(read("file.bin").equals(body)).toBe(true);
  });

  test("is not asked for again when all of it is there and a kill came before the outcome", async () => {
    const server = await startServer({ "*": whole(other, etag) });
    const url = `${server.origin}/file.bin`;
    const kept = `out/.kagurazaka/kept/fetch/${sha256(Buffer.from("file.bin")).slice(0, 24)}`;
    const place = createPlace({
      [`${kept}/part`]: body,
      [`${kept}/part.json`]: JSON.stringify({ url, validator: '"one"', total: body.length }),
    });
    const fetched = await fetchAll([{ url, file: "file.bin", sha256: sha256(body) }], { place });
    expect([fetched.outcome.status, server.seen, fetched.kept]).toEqual(["done", [], []]);
    expect(fetched.read("file.bin").equals(body)).toBe(true);
  });

  test("leaves nothing beside small files", async () => {
    const server = await startServer({ "*": cut(bytesOf(200_000), 100_000, etag) });
    const { kept, outcome } = await fetchAll([{ url: `${server.origin}/small.bin` }], { retries: 0 });
    expect([outcome.status, kept]).toEqual(["failed", []]);
  });

  test("goes on in the next run; another URL for the same file does not", async () => {
    const server = await startServer({
      "/a": inTurn(cut(body, at, etag), ranged(body, etag)),
      "/b": inTurn(cut(body, at, etag), ranged(body, etag)),
      "/c": ranged(other, etag),
    });
    const record = (path: string, file: string) => ({ url: `${server.origin}${path}`, file });
    const first = await fetchAll([record("/a", "one"), record("/b", "two")], { retries: 0 });
    expect(first.outcomes.map(({ status }) => status)).toEqual(["failed", "failed"]);
    expect(first.outcomes[0]!.error!.code).toBe("ECONNRESET");
    expect(first.outcomes[0]!.error!.message).toMatch(/^aborted after \d{6} of 2097152 bytes: "http.*\/[ab]"$/);
    const { place } = first;
    const second = await fetchAll([record("/a", "one"), record("/c", "two")], { place });
    expect(second.result.counts.done).toBe(2);
    expect(askedFor(server.seenOf("/a"), at)).toEqual(["all", "rest"]);
    expect(server.seenOf("/c")[0]!.headers.range).toBeUndefined();
    expect([second.read("one").equals(body), second.read("two").equals(other)]).toEqual([true, true]);
  });

  test("does not go on for a URL that differs in a secret alone; the secret is not kept beside the bytes", async () => {
    const server = await startServer({
      "/a?key=hush1": cut(body, at, etag),
      "/a?key=hush2": ranged(other, etag),
    });
    const record = (key: string) => ({ url: `${server.origin}/a?key=${key}`, file: "one" });
    const { place } = await fetchAll([record("hush1")], { retries: 0 });
    const meta = place.everything("out/.kagurazaka/kept").filter((path) => path.endsWith("/part.json"));
    expect(meta.map((path) => place.read(`out/.kagurazaka/kept/${path}`))).toEqual([
      expect.stringMatching(/\/a\?key=\*\*\*#(?!.*hush)/),
    ]);
    const { read } = await fetchAll([record("hush2")], { place });
    expect(server.seen.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
    expect(read("one").equals(other)).toBe(true);
  });

  test("goes on after SIGKILL of the whole run, with the bytes there were", { timeout: 60_000 }, async () => {
    const large = bytesOf(24 * mega);
    let slow = true;
    const server = await startServer({
      "*": (exchange) => {
        if (!slow) return ranged(large, etag)(exchange);
        const { response } = exchange;
        response.writeHead(200, { ...etag, "content-length": large.length, "accept-ranges": "bytes" });
        let sent = 0;
        const timer = setInterval(() => {
          if (response.destroyed) return clearInterval(timer);
          if (sent < 12 * mega) {
            response.write(large.subarray(sent, sent + mega));
            sent += mega;
          }
        }, 20);
      },
    });
    const names = ["a.bin", "b.bin", "c.bin"];
    const place = createPlace({
      "list.jsonl": names
        .map((name) => `${JSON.stringify({ url: `${server.origin}/${name}`, sha256: sha256(large) })}\n`)
        .join(""),
    });
    const command = [
      "@fetch",
      "--json",
      "--num-process",
      "1",
      "--concurrency",
      "8",
      "--mixin",
      "input_mode={use: InputFromWhateverJsonl, jsonl_path: list.jsonl}",
      "hard_shard_mode.output_path=out",
    ];
    const { child, ended } = place.start(command);
    await until(
      "all three are half there",
      () => server.seen.length === 3 && server.seen.every(({ sent }) => sent >= 12 * mega),
    );
    await until("much of it is on disk", () => keptSizes(place).filter((size) => size > 8 * mega).length === 3);
    child.kill("SIGKILL");
    await ended;
    expect(place.files("out")).toEqual({});
    slow = false;
    server.seen.length = 0;
    const { json, stderr } = await place.run(command);
    expect(json.counts.done, stderr).toBe(3);
    for (const name of names) {
      expect(readFileSync(place.path("out", server.host, name)).equals(large)).toBe(true);
      const [request, ...more] = server.seenOf(`/${name}`);
      const first = firstOf(request!);
      expect([first > 8 * mega, request!.headers["if-range"], request!.sent, more.length]).toEqual([
        true,
        '"one"',
        large.length - first,
        0,
      ]);
    }
    expect(place.everything("out/.kagurazaka").filter((path) => path.includes("kept"))).toEqual([]);
  });
});

describe.concurrent("checks", () => {
  const body = bytesOf(mega);
  const etag = { etag: '"one"' };

  test.each([
    ["sha256", 64],
    ["sha512", 128],
    ["sha1", 40],
    ["md5", 32],
  ])("a wrong %s fails the item at once, and nothing is there", async (algorithm, digits) => {
    const right = createHash(algorithm).update(body).digest("hex");
    const good = await fetchOne(whole(body, etag), { [algorithm]: right.toUpperCase() });
    expect(good.outcome).toMatchObject({ status: "done", value: { [algorithm]: right } });
    const bad = await fetchOne(whole(body, etag), { [algorithm]: "0".repeat(digits) });
    expect(bad.outcome).toMatchObject({ status: "failed", attempts: 1 });
    expect(bad.outcome.error!.message).toMatch(`${algorithm} is ${right}, the list says 0000`);
    expect([bad.requests.length, bad.place.files("out"), bad.kept]).toEqual([1, {}, []]);
  });

  test("a sum is of the part and the rest", async () => {
    const { outcome, requests } = await fetchOne(inTurn(cut(body, 500_000, etag), ranged(body, etag)), {
      sha256: sha256(body),
    });
    expect([outcome.status, ...askedFor(requests, 500_000)]).toEqual(["done", "all", "rest"]);
  });

  test("a part and a rest that do not belong together are fetched anew, once", async () => {
    const other = bytesOf(mega, 5);
    // No validator: the sum alone finds out.
    const { outcome, read, requests } = await fetchOne(inTurn(cut(other, 500_000), ranged(body, {})), {
      sha256: sha256(body),
    });
    expect(outcome).toMatchObject({ status: "done", attempts: 2 });
    expect(askedFor(requests, 500_000)).toEqual(["all", "rest", "all"]);
    expect(read("file.bin").equals(body)).toBe(true);
    const wrong = await fetchOne(inTurn(cut(other, 500_000), ranged(other, {})), { sha256: sha256(body) });
    expect([wrong.outcome.status, wrong.requests.length]).toEqual(["failed", 3]);
  });

  test("another length than the list says fails before anything is downloaded, or after it where none is said", async () => {
    const said = await fetchOne(whole(bytesOf(20 * mega)), { bytes: 5 });
    expect(said.outcome).toMatchObject({ status: "failed", attempts: 1 });
    expect(said.outcome.error!.message).toMatch(`has ${20 * mega} bytes, the list says 5: "http`);
    const unsaid = await fetchOne(({ response }) => void response.write("four", () => response.end()), { bytes: 5 });
    expect(unsaid.outcome.error!.message).toMatch(/has 4 bytes, the list says 5/);
    expect((await fetchOne(whole(bytesOf(5)), { bytes: 5 })).outcome.status).toBe("done");
  });

  test.each([
    [{ sha256: "abc" }, '"sha256" is not 64 hexadecimal digits'],
    [{ bytes: -1 }, '"bytes" is -1, not a length'],
    [{ file: 7 }, '"file" is 7, not a path'],
    [{ file: "../up.bin" }, 'output path "../up.bin" has the segment ".."'],
    [{ url: undefined }, 'the record has no "url"'],
    [{ url: "no url" }, '"no url" is not a URL'],
    [{ url: "ftp://u:secret@host/x" }, '"ftp://u:***@host/x" is of ftp, not http or https'],
  ])("a record with %j is refused", async (record, message) => {
    const { outcome, requests } = await fetchOne(whole(body), record);
    expect(outcome.status).toBe("failed");
    expect(outcome.error!.message).toContain(message);
    expect(requests).toEqual([]);
  });

  test("--write_sum leaves a file that sha256sum -c takes", async (context) => {
    if (spawnSync("sha256sum", ["--version"]).status !== 0) context.skip("no sha256sum here");
    const { place } = await fetchOne(whole(body, etag), {}, { taskOptions: { writeSum: "sha256" } });
    expect(Object.keys(place.files("out"))).toEqual(["file.bin", "file.bin.sha256"]);
    expect(execFileSync("sha256sum", ["-c", "file.bin.sha256"], { cwd: place.path("out"), encoding: "utf8" })).toBe(
      "file.bin: OK\n",
    );
  });
});

describe.concurrent("servers that ask for patience", () => {
  const body = bytesOf(1000);

  test.each<[string, () => Record<string, string>, status: number, atLeastMs: number]>([
    ["429, in seconds", () => ({ "retry-after": "2" }), 429, 1950],
    ["503, by a date", () => ({ "retry-after": new Date(Date.now() + 3000).toUTCString() }), 503, 1950],
    [
      "429, by a date of a clock that is wrong",
      () => ({ date: new Date(5e11).toUTCString(), "retry-after": new Date(5e11 + 3000).toUTCString() }),
      429,
      2950,
    ],
  ])("get it, and it costs no retry (%s)", async (_title, headers, status, atLeastMs) => {
    const { outcome, requests } = await fetchOne(
      inTurn((exchange) => refuse(status, headers())(exchange), whole(body)),
      {},
      { retries: 0 },
    );
    expect(outcome).toMatchObject({ status: "done", attempts: 1 });
    const waited = requests[1]!.atMs - requests[0]!.atMs;
    expect(waited).toBeGreaterThan(atLeastMs);
    expect(waited).toBeLessThan(20_000);
  });

  test("get no other request meanwhile, and other hosts are served", async () => {
    const busy = await startServer({
      "*": inTurn(whole(body)),
      "/0": inTurn(refuse(429, { "retry-after": "2" }), whole(body)),
    });
    const free = await startServer({ "*": whole(body) });
    const records = Array.from({ length: 40 }, (_, i) => ({
      url: `${i % 4 === 0 ? free.origin : busy.origin}/${i === 1 ? 0 : i}`,
      file: `${i}`,
    }));
    const { result } = await fetchAll(records, { retries: 0, taskOptions: { perHostConcurrency: 1 } });
    expect(result.counts).toMatchObject({ done: 40, failed: 0 });
    const refusedMs = busy.seenOf("/0")[0]!.atMs;
    const meanwhile = ({ atMs }: { atMs: number }) => atMs > refusedMs && atMs < refusedMs + 1900;
    expect(busy.seen.filter(meanwhile)).toEqual([]);
    expect(
      free.seen.every(({ atMs }) => atMs < refusedMs + 1900),
      "the other host did not wait",
    ).toBe(true);
    expect(busy.seen).toHaveLength(31);
  });

  test("are given up after --max_wait", async () => {
    const day = await fetchOne(refuse(429, { "retry-after": "86400" }));
    expect(day.outcome).toMatchObject({ status: "failed", attempts: 1 });
    expect(day.outcome.error!.message).toMatch(
      /^HTTP 429 Too Many Requests: "http.*"; to wait 86400 s more would be longer than --max_wait$/,
    );
    const each = await fetchOne(refuse(503, { "retry-after": "0" }), {}, { taskOptions: { maxWait: "2500ms" } });
    expect([each.outcome.status, each.requests.length]).toEqual(["failed", 3]);
  });

  test("without Retry-After are an ordinary retry", async () => {
    for (const status of [429, 503]) {
      const { outcome, requests } = await fetchOne(inTurn(refuse(status), whole(body)));
      expect([outcome.status, outcome.attempts, requests.length]).toEqual(["done", 2, 2]);
    }
  });
});

describe.concurrent("limits per host", () => {
  const slow =
    (ms: number): Behaviour =>
    ({ response }) =>
      void setTimeout(() => response.end("x"), ms);

  test("so many at once, for each host", async () => {
    const [one, two] = [await startServer({ "*": slow(60) }), await startServer({ "*": slow(60) })];
    const records = Array.from({ length: 24 }, (_, i) => ({ url: `${(i % 2 ? one : two).origin}/${i}.txt` }));
    const { result } = await fetchAll(records, { taskOptions: { perHostConcurrency: 3 } });
    expect([result.counts.done, one.mostAtOnce, two.mostAtOnce]).toEqual([24, 3, 3]);
  });

  test("redirects count where they lead", async () => {
    const target = await startServer({ "*": slow(60) });
    const start = await startServer({
      "*": ({ request, response }) =>
        void response.writeHead(302, { location: `${target.origin}${request.url}` }).end(),
    });
    const records = Array.from({ length: 12 }, (_, i) => ({ url: `${start.origin}/${i}.txt` }));
    const { result } = await fetchAll(records, { taskOptions: { perHostConcurrency: 2 } });
    expect([result.counts.done, target.mostAtOnce]).toEqual([12, 2]);
  });

  test("so many per second", async () => {
    const server = await startServer({ "*": slow(0) });
    const records = Array.from({ length: 9 }, (_, i) => ({ url: `${server.origin}/${i}.txt` }));
    const startMs = performance.now();
    const { result } = await fetchAll(records, { taskOptions: { perHostRate: "10/s" } });
    expect(result.counts.done).toBe(9);
    expect(server.seen.at(-1)!.atMs - startMs).toBeGreaterThan(800);
  });

  test("who runs out of time while waiting for its turn leaves the line; the others go on", async () => {
    const server = await startServer({
      "/hangs.txt": inTurn(
        () => {},
        () => {},
        slow(0),
      ),
      "*": slow(0),
    });
    const records = ["hangs", "a", "b", "c"].map((name) => ({ url: `${server.origin}/${name}.txt` }));
    const { result } = await fetchAll(records, {
      timeout: "400ms",
      retries: 50,
      taskOptions: { perHostConcurrency: 1 },
    });
    expect(result.counts).toMatchObject({ done: 4, total: 4 });
    expect(result.stats.retries).toBeGreaterThan(1);
  });
});

describe.concurrent("silence", () => {
  const body = bytesOf(mega);
  const etag = { etag: '"one"' };
  const taskOptions = { idleTimeout: "400ms" };

  test("a server that never answers is given up, and asked again", async () => {
    const { outcome, requests } = await fetchOne(() => {}, {}, { retries: 1, taskOptions });
    expect([outcome.status, outcome.attempts, requests.length]).toEqual(["failed", 2, 2]);
    expect(outcome.error!.message).toMatch(/^no byte for 0.4 s: "http/);
  });

  test("one that falls silent in the middle is left, and the rest asked for", async () => {
    const silent: Behaviour = ({ response }) =>
      void response.writeHead(200, { ...etag, "content-length": body.length }).write(body.subarray(0, 400_000));
    const { outcome, requests, read } = await fetchOne(inTurn(silent, ranged(body, etag)), {}, { taskOptions });
    expect([outcome.status, ...askedFor(requests, 400_000)]).toEqual(["done", "all", "rest"]);
    expect(read("file.bin").equals(body)).toBe(true);
  });

  test("one that drips is waited for", async () => {
    const drip: Behaviour = ({ response }) => {
      response.writeHead(200, { "content-length": "12" });
      let sent = 0;
      const timer = setInterval(() => {
        response.write("x");
        if (++sent === 12) clearInterval(timer);
      }, 250);
    };
    const { outcome, requests } = await fetchOne(drip, {}, { taskOptions: { idleTimeout: "2500ms" } });
    expect([outcome.status, requests.length]).toEqual(["done", 1]);
  });
});

describe.concurrent("answers", () => {
  const text = Buffer.from("some words, some more words\n".repeat(100));

  test.each([401, 403, 404, 410, 204, 304, 300])("%i is final", async (status) => {
    const { outcome, requests, kept, place } = await fetchOne(refuse(status));
    expect(outcome).toMatchObject({
      status: "failed",
      attempts: 1,
      error: { code: `HTTP_${status}`, permanent: true },
    });
    expect([requests.length, kept, place.files("out")]).toEqual([1, [], {}]);
  });

  test.each([408, 425, 500, 502, 504, 206])("%i may pass", async (status) => {
    const { outcome, requests } = await fetchOne(inTurn(refuse(status), whole(text)));
    expect([outcome.status, outcome.attempts, requests.length]).toEqual(["done", 2, 2]);
  });

  test("a host that is not there may come back", async () => {
    const { outcome } = await fetchAll([{ url: "http://127.0.0.1:1/x.txt" }], { retries: 1 });
    expect(outcome).toMatchObject({ status: "failed", attempts: 2, error: { code: "ECONNREFUSED" } });
  });

  test("without a length, empty, and of one byte, are files as well", async () => {
    const server = await startServer({
      "/chunked.bin": ({ response }) => void response.write(text, () => response.end(text)),
      "/until-close.bin": ({ response }) => {
        response.shouldKeepAlive = false;
        response.useChunkedEncodingByDefault = false;
        response.end(text);
      },
      "/empty.bin": whole(Buffer.alloc(0)),
      "/one.bin": whole(Buffer.from("x")),
    });
    const { read, result } = await fetchAll(
      ["chunked", "until-close", "empty", "one"].map((name) => ({ url: `${server.origin}/${name}.bin` })),
    );
    expect(result.counts.done).toBe(4);
    expect(read(`${server.host}/chunked.bin`).equals(Buffer.concat([text, text]))).toBe(true);
    expect(read(`${server.host}/until-close.bin`).equals(text)).toBe(true);
    expect([read(`${server.host}/empty.bin`).length, read(`${server.host}/one.bin`).length]).toEqual([0, 1]);
  });

  test("compressed although not requested are decompressed, unless the name says that they are", async () => {
    const packed = gzipSync(text);
    const server = await startServer({
      "/a.txt": whole(packed, { "content-encoding": "gzip" }),
      "/b.txt": whole(brotliCompressSync(text), { "content-encoding": "br" }),
      "/c.tar.gz": whole(packed, { "content-encoding": "x-gzip" }),
      "/d.txt": whole(text, { "content-encoding": "identity" }),
      "/e.txt": whole(text, { "content-encoding": "zstd" }),
      "/f.txt": inTurn(whole(packed.subarray(0, 40), { "content-encoding": "gzip" }), whole(text)),
    });
    const { read, outcomes } = await fetchAll(
      ["a.txt", "b.txt", "c.tar.gz", "d.txt", "e.txt", "f.txt"].map((file) => ({
        url: `${server.origin}/${file}`,
        file,
      })),
    );
    for (const file of ["a.txt", "b.txt", "d.txt", "f.txt"]) expect(read(file).equals(text), file).toBe(true);
    expect(read("c.tar.gz").equals(packed)).toBe(true);
    expect(outcomes.find(({ key }) => key === "e.txt")!.error!.message).toMatch(/sent as "zstd", although/);
  });

  test("in an encoding that is not known are files whose name says so, and refused under other names", async () => {
    const brotli = brotliCompressSync(text);
    const server = await startServer({
      "/b.gz": whole(brotli, { "content-encoding": "br" }),
      "*": whole(text, { "content-encoding": "zstd" }),
    });
    const names = ["a.tar.zst", "a.gz", "b.gz"];
    const { read, outcomes } = await fetchAll(names.map((file) => ({ url: `${server.origin}/${file}`, file })));
    expect([read("a.tar.zst").equals(text), read("b.gz").equals(text)]).toEqual([true, true]);
    expect(outcomes.find(({ key }) => key === "a.gz")).toMatchObject({
      status: "failed",
      error: { message: expect.stringContaining('sent as "zstd", although no encoding was asked for') },
    });
  });

  test("larger than --max_size are refused, by their length or when that many bytes came, and keep nothing", async () => {
    const big = bytesOf(3 * mega);
    const chunked: Behaviour = ({ response }) => void response.end(big);
    const server = await startServer({ "/said.bin": whole(big), "/unsaid.bin": chunked, "/fits.bin": whole(text) });
    const list = ["said", "unsaid", "fits"].map((name) => ({ url: `${server.origin}/${name}.bin`, file: name }));
    const { outcomes, place, kept } = await fetchAll(list, { taskOptions: { maxSize: "1MB" }, retries: 2 });
    for (const key of ["said", "unsaid"])
      expect(outcomes.find((one) => one.key === key)).toMatchObject({
        status: "failed",
        attempts: 1,
        error: { message: expect.stringContaining("has more than 1000000 bytes, the limit of --max_size") },
      });
    expect(Object.keys(place.files("out"))).toEqual(["fits"]);
    expect(kept.filter((path) => path.endsWith("/part"))).toEqual([]);
    expect(server.seenOf("/said.bin")[0]!.sent, "no more than the sockets take").toBeLessThanOrEqual(3 * mega);
  });

  test("with a huge header fail, once", async () => {
    const { outcome, requests } = await fetchOne(whole(text, { "x-huge": "x".repeat(100_000) }));
    expect([outcome.status, outcome.error!.code, requests.length]).toEqual(["failed", "HPE_HEADER_OVERFLOW", 1]);
  });

  test("a connection that the server closed between two requests is no failed attempt", async () => {
    const hangUp: Behaviour = ({ request }) => void request.socket.destroy();
    const server = await startServer({ "/2.txt": inTurn(hangUp, whole(text)), "*": whole(text) });
    const records = Array.from({ length: 4 }, (_, i) => ({ url: `${server.origin}/${i}.txt` }));
    const { result } = await fetchAll(records, { retries: 0, concurrency: 1 });
    expect([result.counts.done, server.seenOf("/2.txt").length]).toEqual([4, 2]);
    const fresh = await fetchOne(hangUp, {}, { retries: 0 });
    expect([fresh.outcome.status, fresh.requests.length], "a new connection has no such excuse").toEqual(["failed", 1]);
  });
});

describe.concurrent("redirects", () => {
  const to =
    (location: string, status = 302): Behaviour =>
    ({ response }) =>
      void response.writeHead(status, { location }).end();

  test("are followed, and the file has the name of the URL that was listed", async () => {
    const server = await startServer({
      "/a.txt": to("/b/", 301),
      "/b/": to("c?d#e", 307),
      "/b/c?d": whole(Buffer.from("here")),
    });
    const { outcome, read } = await fetchAll([{ url: `${server.origin}/a.txt` }]);
    expect(outcome).toMatchObject({ status: "done", value: { url: `${server.origin}/b/c?d`, bytes: 4 } });
    expect(read(`${server.host}/a.txt`).toString()).toBe("here");
  });

  test("to a name in raw UTF-8 lead there", async () => {
    const server = await startServer({
      "/a": to(Buffer.from("/größe/日本.txt").toString("latin1")),
      "/gr%C3%B6%C3%9Fe/%E6%97%A5%E6%9C%AC.txt": whole(Buffer.from("here")),
    });
    const { outcome, read } = await fetchAll([{ url: `${server.origin}/a`, file: "a" }]);
    expect([outcome.status, read("a").toString()]).toEqual(["done", "here"]);
  });

  test.each<[string, string, RegExp]>([
    ["in a circle end", "/file.bin", /^more than 10 redirects: "http/],
    ["to other schemes are refused", "file:///etc/passwd", /^"file:\/\/\/etc\/passwd" is of file, not http or https$/],
    ["to nowhere are refused", "http://", /^HTTP 302 Found: "http/],
  ])("%s", async (_title, location, message) => {
    const { outcome, requests } = await fetchOne(to(location));
    expect(outcome).toMatchObject({ status: "failed", attempts: 1 });
    expect(outcome.error!.message).toMatch(message);
    expect(requests.length).toBe(location === "/file.bin" ? 11 : 1);
  });

  test("to another host carry no header of ours", async () => {
    const target = await startServer({ "*": whole(Buffer.from("x")) });
    const start = await startServer({ "/1": to("/2"), "/2": to(`${target.origin}/3`) });
    const url = start.origin.replace("//", "//user:secret@");
    await fetchAll([{ url: `${url}/1` }], {
      taskOptions: { header: ["X-Mine: yes", "Cookie: a=b"], userAgent: "me (me@example.org)" },
    });
    const mine = (server: typeof start) =>
      server.seen.map(({ headers }) => [headers["x-mine"], headers.cookie, headers["user-agent"]]);
    expect(mine(start)).toEqual([
      ["yes", "a=b", "me (me@example.org)"],
      ["yes", "a=b", "me (me@example.org)"],
    ]);
    expect(mine(target)).toEqual([[undefined, undefined, "me (me@example.org)"]]);
    expect(start.seen[0]!.headers.authorization).toBe(`Basic ${Buffer.from("user:secret").toString("base64")}`);
    expect(target.seen[0]!.headers.authorization).toBeUndefined();
  });

  test("from https to http are refused unless allowed; an untrusted certificate is final", async (context) => {
    const place = createPlace();
    const made = spawnSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
      ],
      { cwd: place.dir },
    );
    if (made.status !== 0) context.skip("no openssl here to make a certificate");
    const plain = await startServer({ "*": whole(Buffer.from("plain")) });
    const secure = createSecureServer(
      { key: place.read("key.pem"), cert: place.read("cert.pem") },
      (request, response) => {
        if (request.url === "/down.txt") response.writeHead(302, { location: `${plain.origin}/x` }).end();
        else response.end("safe");
      },
    );
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    try {
      const origin = `https://localhost:${(secure.address() as AddressInfo).port}`;
      writeFileSync(
        place.path("list.jsonl"),
        ["safe.txt", "down.txt"].map((file) => `${JSON.stringify({ url: `${origin}/${file}`, file })}\n`).join(""),
      );
      const run = (env: Record<string, string>, ...more: string[]) =>
        place.run(
          [
            "@fetch",
            "--json",
            "--backbone",
            "inline",
            ...more,
            "--mixin",
            "input_mode={use: InputFromWhateverJsonl, jsonl_path: list.jsonl}",
            "hard_shard_mode.output_path=out",
          ],
          env,
        );
      const untrusted = await run({});
      expect(untrusted.stderr).toMatch(/PermanentError: self-signed certificate.*: "https:\/\/localhost/);
      expect(untrusted.json.counts).toMatchObject({ done: 0, failed: 2 });
      const env = { NODE_EXTRA_CA_CERTS: place.path("cert.pem") };
      const trusted = await run(env);
      expect(trusted.stderr).toMatch(
        /redirected from https to "http:\/\/127\.0\.0\.1:\d+\/x", where --allow_downgrade would follow/,
      );
      expect(place.files("out")).toEqual({ "safe.txt": "safe" });
      await run(env, "--allow_downgrade");
      expect(place.files("out")).toEqual({ "safe.txt": "safe", "down.txt": "plain" });
    } finally {
      secure.closeAllConnections();
      secure.close();
    }
  });
});

describe.concurrent("passwords", () => {
  test("of URLs and headers are in no message and no setting that is kept or shown", async () => {
    const server = await startServer({
      "/gone.txt": refuse(404),
      "/loop.txt": ({ request, response }) =>
        void response.writeHead(302, { location: `http://u2:hush2@${request.headers.host}/loop.txt` }).end(),
    });
    const url = server.origin.replace("//", "//u1:hush1@");
    const place = createPlace({
      "list.jsonl": `{"url":"${url}/gone.txt"}\n{"url":"${url}/loop.txt"}\n{"line":"//u1:hush1@nothing"}\n`,
    });
    const command = [
      "@fetch",
      "--backbone",
      "inline",
      "--header",
      "Authorization: Bearer hush3",
      "X-Api-Key: hush4",
      "Authorization:Bearer hush5",
      "X-Auth: hush6",
      "X-Of-Ours: hush7",
      "--mixin",
      "input_mode={use: InputFromWhateverJsonl, jsonl_path: list.jsonl}",
      "hard_shard_mode.output_path=out",
    ];
    const { stderr, code } = await place.run(command);
    expect(code).toBe(3);
    expect(stderr).toMatch(/HTTP 404 Not Found: "http:\/\/u1:\*\*\*@127/);
    const shown = await place.run([...command, "--show-config"]);
    const run = place
      .everything("out/.kagurazaka/fetch/runs")
      .filter((path) => path.endsWith(".json"))
      .map((path) => place.read(`out/.kagurazaka/fetch/runs/${path}`));
    expect(run).toHaveLength(1);
    for (const seen of [stderr, shown.stdout, shown.stderr, ...run]) expect(seen).not.toContain("hush");
    // The list's own line is kept as it is: it is what --retry-failed runs.
    for (const line of place.read("out/.kagurazaka/fetch/failed.jsonl").trim().split("\n")) {
      const { item: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
      expect(JSON.stringify(rest)).not.toContain("hush");
    }
  });
});

describe.concurrent("where files go", () => {
  test("a list of lines is all that is needed; a tab parts URL and file", async () => {
    const server = await startServer({ "/a.txt": whole(Buffer.from("a")), "/b": whole(Buffer.from("b")) });
    const place = createPlace({ "urls.txt": `${server.origin}/a.txt\n${server.origin}/b\tnamed/b.txt\n` });
    const { code, stderr } = await place.run(["@fetch", "--lines", "urls.txt", "--out", "out"]);
    expect(code, stderr).toBe(0);
    expect(Object.values(place.files("out")).sort()).toEqual(["a", "b"]);
    expect(place.read("out/named/b.txt")).toBe("b");
    expect(Object.keys(place.files("out")).some((name) => name.endsWith("/a.txt"))).toBe(true);
    expect(stderr).toMatch(/1 worker, 32 items at once/);
  });

  test("a list of URLs becomes a tree one can read; finished ones are skipped", async () => {
    const server = await startServer({ "*": ({ request, response }) => void response.end(request.url) });
    const { host, origin } = server;
    const records = [
      { url: `${origin}/a/b.jpg` },
      { url: `${origin}/a/b.jpg?w=1#top` },
      { url: `${origin}/a/b.jpg?w=2` },
      { url: `${origin}/docs` },
      { url: `${origin}/docs/` },
      { url: `${origin}/docs/intro.html` },
      { line: `${origin}/x/%E3%81%82.txt` },
      { line: ` ${origin}/y.txt\tmine/z.txt\r` },
    ];
    const first = await fetchAll(records);
    expect(first.result.counts).toMatchObject({ done: 8, total: 8 });
    const files = first.place.files("out");
    const hash = (url: string) => sha256(Buffer.from(url)).slice(0, 16);
    expect(files).toEqual({
      [`${host}/a/b.jpg`]: "/a/b.jpg",
      [`${host}/a/b~${hash(`${origin}/a/b.jpg?w=1`)}.jpg`]: "/a/b.jpg?w=1",
      [`${host}/a/b~${hash(`${origin}/a/b.jpg?w=2`)}.jpg`]: "/a/b.jpg?w=2",
      [`${host}/docs~${hash(`${origin}/docs`)}`]: "/docs",
      [`${host}/docs/index.html`]: "/docs/",
      [`${host}/docs/intro.html`]: "/docs/intro.html",
      [`${host}/x/あ.txt`]: "/x/%E3%81%82.txt",
      "mine/z.txt": "/y.txt",
    });
    server.seen.length = 0;
    const second = await fetchAll(records, { place: first.place });
    expect([second.result.counts.skipped, server.seen.length]).toEqual([8, 0]);
  });

  test("--names hash gives names without meaning, that keep the extension", async () => {
    const server = await startServer({ "*": whole(Buffer.from("x")) });
    const url = `${server.origin}/a/b.tar.gz?x`;
    const { place } = await fetchAll([{ url }, { url: `${server.origin}/c`, file: "d" }], {
      taskOptions: { names: "hash" },
    });
    const name = sha256(Buffer.from(url)).slice(0, 32);
    expect(Object.keys(place.files("out")).sort()).toEqual([`${name.slice(0, 2)}/${name}.tar.gz`, "d"].sort());
  });

  test("a file in the way of a folder, and a folder in the way of a file, are said before anything is asked for", async () => {
    const server = await startServer({ "*": whole(Buffer.from("x")) });
    const place = createPlace({ "out/a": "file", "out/b/c": "file" });
    const { outcomes } = await fetchAll(
      [
        { url: `${server.origin}/1`, file: "b" },
        { url: `${server.origin}/2`, file: "a/d" },
      ],
      { place, force: "new" },
    );
    expect(outcomes.map(({ key, error }) => [key, error?.message]).sort()).toEqual([
      ["a/d", expect.stringMatching(/"a" is to be a folder, but a file of that name is there/)],
      ["b", expect.stringMatching(/"b" is to be a file, but a folder of that name is there/)],
    ]);
    expect([server.seen, existsSync(place.path("out/a/d"))]).toEqual([[], false]);
  });
});
