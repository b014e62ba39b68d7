import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chooseConfig } from "../../../src/data/hub/configs.js";
import { fetchHubFile, resolveHub } from "../../../src/data/hub/hub.js";
import { parseHubName } from "../../../src/data/hub/name.js";
import { hubSettings } from "../../../src/data/hub/settings.js";
import { COMMIT, type FakeHub, fakeHub, hashOf, refuse, TOKEN } from "./fake-hub.js";

const patience = { tries: 3, firstWaitMs: 1, silenceMs: 60_000 };
const large = Buffer.alloc(200_000, "parquet");
const contents = {
  ".gitattributes": "*.parquet lfs",
  "README.md": "---\nlicense: mit\nconfigs:\n- {config_name: a, data_files: 'data/*.parquet'}\n---\n",
  "data/train-00000-of-00002.parquet": large,
  "data/train-00001-of-00002.parquet": "second",
  "data/a b#?.jsonl": "{}\n",
};

let dir: string;
let hub: FakeHub;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "hub-"));
  hub = await fakeHub(contents);
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});
const envOf = (more: Record<string, string> = {}) => ({ HF_ENDPOINT: hub.url, HF_HOME: dir, HF_TOKEN: TOKEN, ...more });
const resolve = (spec = "org/set", more: Record<string, string> = {}, options = {}) =>
  resolveHub(spec, { env: envOf(more), patience, ...options });
const folder = () => join(dir, "hub/datasets--org--set");
const unfinished = () =>
  existsSync(folder())
    ? readdirSync(folder(), { recursive: true }).filter((name) => /incomplete/.test(String(name)))
    : [];
/** Puts files into the cache as Python does, without our list. */
function putSnapshot(files: Record<string, string>, ref = "main"): void {
  for (const [name, text] of Object.entries({
    [`refs/${ref}`]: COMMIT,
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`snapshots/${COMMIT}/${name}`, text])),
  })) {
    mkdirSync(dirname(join(folder(), name)), { recursive: true });
    writeFileSync(join(folder(), name), text);
  }
}

describe("a dataset of the hub", () => {
  test("has all files of the commit, over pages, and its card; only the card is fetched", async () => {
    const found = await resolve("hf://datasets/org/set");
    expect(found).toMatchObject({ name: "org/set", commit: COMMIT, note: undefined, card: { license: ["mit"] } });
    expect(found.files.map(({ name, size }) => [name, size])).toEqual(
      Object.entries(contents).map(([name, text]) => [name, text.length]),
    );
    expect(found.files.filter(({ path }) => path !== undefined).map(({ name }) => name)).toEqual(["README.md"]);
    expect(
      chooseConfig(
        found.files.map(({ name }) => name),
        found.card,
        undefined,
        found.name,
      ).splits.get("train"),
    ).toHaveLength(2);
    expect(
      hub
        .asked()
        .filter((url) => url.includes("/resolve/"))
        .every((url) => url.endsWith("README.md")),
    ).toBe(true);
  });

  test("is fetched into the cache as Python lays it out", async () => {
    const found = await resolve();
    for (const file of found.files) {
      const path = await fetchHubFile(found, file, { env: envOf(), patience });
      expect(path).toBe(join(folder(), "snapshots", COMMIT, file.name));
      expect(readFileSync(path)).toEqual(Buffer.from(contents[file.name as keyof typeof contents]));
      expect(lstatSync(path).isSymbolicLink() && readlinkSync(path)).toMatch(/^(?:\.\.\/)+blobs\/[0-9a-f]+$/);
    }
    expect(readFileSync(join(folder(), "refs/main"), "utf8")).toBe(COMMIT);
    expect(unfinished()).toEqual([]);
  });

  test("is fetched once, however many ask for it at the same time", async () => {
    const found = await resolve();
    const big = found.files.find(({ size }) => size === large.length)!;
    const paths = await Promise.all(
      Array.from({ length: 4 }, () => fetchHubFile(found, big, { env: envOf(), patience })),
    );
    expect(new Set(paths).size).toBe(1);
    expect(readFileSync(paths[0]!)).toEqual(large);
    expect(hub.askedOfCdn().filter(({ headers }) => headers.range !== "bytes=0-0")).toHaveLength(1);
    expect(unfinished()).toEqual([]);
    expect(readdirSync(join(folder(), ".kagurazaka")).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  test("is known the second time without a request, and whole without the hub", async () => {
    const first = await resolve();
    const big = first.files.find(({ size }) => size === large.length)!;
    await fetchHubFile(first, big, { env: envOf(), patience });
    const before = hub.asked().length;
    const again = await resolve("org/set", { HF_HUB_OFFLINE: "1" });
    expect(hub.asked().length).toBe(before);
    expect(again.files.map(({ name }) => name)).toEqual(first.files.map(({ name }) => name));
    expect(again.files.find(({ name }) => name === big.name)!.path).toBeDefined();
    const rest = again.files.find(({ path }) => path === undefined)!;
    await expect(fetchHubFile(again, rest, { env: envOf({ HF_HUB_OFFLINE: "1" }) })).rejects.toMatchObject({
      code: "source",
      message: /not in the cache, and HF_HUB_OFFLINE is set/,
    });
  });

  test("is asked for its commit again with refresh", async () => {
    await resolve();
    const before = hub.asked().length;
    await resolve("org/set", {}, { refresh: true });
    expect(
      hub
        .asked()
        .slice(before)
        .some((url) => url.includes("/revision/main")),
    ).toBe(true);
  });

  test("may be cut down to a path, and has revisions", async () => {
    const found = await resolve("hf://datasets/org/set@refs/pr/1/data/*.jsonl");
    expect(found.files.map(({ name }) => name)).toEqual(["data/a b#?.jsonl"]);
    expect(readFileSync(join(folder(), "refs/refs/pr/1"), "utf8")).toBe(COMMIT);
    await expect(resolve("hf://org/set/data/*.jsn")).rejects.toMatchObject({
      message: /no file of org\/set matches data\/\*\.jsn/,
    });
    await expect(resolve("org/set@nope")).rejects.toMatchObject({ message: /no revision "nope"/ });
  });
});

describe("the token", () => {
  test("goes to the hub, and to no other host", async () => {
    const found = await resolve();
    await fetchHubFile(found, found.files[2]!, { env: envOf(), patience });
    expect(hub.askedOfCdn().length).toBeGreaterThan(0);
    expect(hub.askedOfCdn().every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect((await resolve("org/secret")).files).toHaveLength(5);
  });

  test("does not follow a next page to another host", async () => {
    const other = await fakeHub({});
    let seen: string | undefined = "nothing";
    other.instead = (ask, reply) => {
      seen = ask.headers.authorization;
      reply.writeHead(200, { "content-type": "application/json" }).end("[]");
      return true;
    };
    hub.instead = (_, reply, path) => {
      if (!path.includes("/tree/")) return false;
      reply.writeHead(200, { link: `<${other.url}/x>; rel="next"` }).end("[]");
      return true;
    };
    await resolve();
    expect(seen).toBe(undefined);
    await other[Symbol.asyncDispose]();
  });

  test("comes from the environment or a file, without its line end", () => {
    writeFileSync(join(dir, "token"), `${TOKEN}\n`);
    writeFileSync(join(dir, "other"), "hf_other");
    const from = (env: Record<string, string>) => hubSettings({ HF_HOME: dir, ...env }).authorization;
    expect([from({}), from({ HF_TOKEN: "hf_x\n" }), from({ HF_TOKEN_PATH: join(dir, "other") })]).toEqual([
      `Bearer ${TOKEN}`,
      "Bearer hf_x",
      "Bearer hf_other",
    ]);
    expect(hubSettings({ HF_HOME: join(dir, "none") }).authorization).toBe(undefined);
  });

  test.each([401, 403, 404, 429, 500])("is in no message, at HTTP %i", async (status) => {
    hub.instead = (_, reply) => refuse(reply, status);
    const error = await resolve().catch((thrown: unknown) => thrown as Error & { hint: string; cause?: Error });
    expect([String(error), JSON.stringify(error), (error as Error).stack].join()).not.toContain(TOKEN);
    expect(error).toMatchObject({ code: "source" });
  });
});

describe("what the hub refuses is said", () => {
  test("a dataset that is not there, with what may be meant", async () => {
    mkdirSync(join(dir, "hub/datasets--org--sets"), { recursive: true });
    await expect(resolve("org/setz", { HF_TOKEN: "" })).rejects.toMatchObject({
      code: "source",
      message: /has no dataset org\/setz/,
      hint: 'Did you mean "org/sets"? Check its spelling. If it is private, set HF_TOKEN.',
    });
  });

  test("one that is gated, when a file is fetched", async () => {
    hub.files.delete("README.md");
    const found = await resolve("org/gated", { HF_TOKEN: "" });
    const get = fetchHubFile(found, found.files[0]!, { env: envOf({ HF_TOKEN: "" }), patience });
    await expect(get).rejects.toMatchObject({ message: /only for those who were given access/, hint: /set HF_TOKEN/ });
  });

  test("too many requests, after some tries", async () => {
    let asked = 0;
    hub.instead = (_, reply) => {
      asked++;
      return refuse(reply, 429, undefined, { "retry-after": "0" });
    };
    await expect(resolve()).rejects.toMatchObject({ message: /rate limited \(HTTP 429\)/ });
    expect(asked).toBe(patience.tries);
  });

  test("an endpoint that is none", async () => {
    hub.instead = (_, reply) => {
      reply.writeHead(200).end("<html>");
      return true;
    };
    await expect(resolve()).rejects.toMatchObject({ code: "source", message: /unexpected response from the hub/ });
    await expect(resolve("org/set", { HF_ENDPOINT: "http://127.0.0.1:1" })).rejects.toMatchObject({
      message: /cannot reach 127/,
    });
  });

  test.each(["../../x", "/etc/x", "a//b", "a\\..\\b"])("a name of a file that leads out: %s", async (name) => {
    hub.files.set(name, Buffer.from("x"));
    await expect(resolve()).rejects.toMatchObject({ code: "source", message: /has a file that cannot be used/ });
  });
});

describe("a hub that stumbles", () => {
  test("is asked again", async () => {
    let asked = 0;
    hub.instead = (_, reply) => ++asked % 2 === 1 && refuse(reply, asked === 1 ? 429 : 503);
    expect((await resolve()).files).toHaveLength(5);
  });

  test("is asked again for a list that was cut off", async () => {
    let cuts = 0;
    hub.instead = (_, reply, path) => {
      if (!path.includes("/tree/") || cuts++ > 0) return false;
      reply.writeHead(200, { "content-length": 1000 });
      reply.write("[", () => reply.destroy());
      return true;
    };
    expect((await resolve()).files).toHaveLength(5);
  });

  const cutting = (cuts: number) => {
    let left = cuts;
    hub.insteadOfCdn = (ask, reply) => {
      if (ask.headers.range === "bytes=0-0" || left-- <= 0) return false;
      const from = Number(/\d+/.exec(ask.headers.range!)![0]);
      const tag = hashOf("x.parquet", large);
      reply.writeHead(206, {
        "content-range": `bytes ${from}-${large.length - 1}/${large.length}`,
        etag: `"${tag}"`,
        "content-length": large.length - from,
      });
      reply.write(large.subarray(from, from + (cuts > 10 ? 0 : 50_000)), () => reply.destroy());
      return true;
    };
  };

  test("goes on with a file that was cut off", async () => {
    const found = await resolve();
    cutting(2);
    const path = await fetchHubFile(found, found.files[2]!, { env: envOf(), patience });
    expect(readFileSync(path).equals(large)).toBe(true);
  });

  test("leaves nothing of a file that is always cut off, or has other bytes", async () => {
    const found = await resolve();
    const blob = join(folder(), "blobs", found.files[2]!.version!);
    const get = () => fetchHubFile(found, found.files[2]!, { env: envOf(), patience });
    cutting(1000);
    await expect(get()).rejects.toMatchObject({ code: "source" });
    hub.insteadOfCdn = () => false;
    hub.files.set(found.files[2]!.name, Buffer.alloc(large.length));
    await expect(get()).rejects.toMatchObject({ message: /other bytes than the list/ });
    hub.files.set(found.files[2]!.name, Buffer.alloc(5));
    await expect(get()).rejects.toMatchObject({ message: /5 bytes in place of 200000/ });
    expect([existsSync(blob), unfinished()]).toEqual([false, []]);
  });
});

describe("a snapshot of another program", () => {
  test("is completed by the list of the hub", async () => {
    putSnapshot({ "data/a b#?.jsonl": "{}\n" });
    const found = await resolve();
    expect([found.files.length, found.note]).toEqual([5, undefined]);
    expect(found.files.find(({ name }) => name === "data/a b#?.jsonl")!.path).toBeDefined();
    expect(hub.asked().some((url) => url.includes("/revision/"))).toBe(false);
  });

  test("is taken as it is where the hub cannot be asked, and that is said", async () => {
    putSnapshot({ "a.jsonl": "{}", "README.md": "hi" });
    for (const more of [{ HF_HUB_OFFLINE: "1" }, { HF_ENDPOINT: "http://127.0.0.1:1" }] as Record<string, string>[]) {
      const found = await resolve("org/set", more);
      expect(found.files.map(({ name }) => name)).toEqual(["README.md", "a.jsonl"]);
      expect(found.note).toMatch(/may not have all of it: .*(HF_HUB_OFFLINE|cannot reach)/);
      expect(await fetchHubFile(found, found.files[1]!)).toBe(join(folder(), "snapshots", COMMIT, "a.jsonl"));
    }
  });

  test.each([
    [{ "data/train-00000-of-00003.parquet": "x", "data/train-00002-of-00003.parquet": "x" }, /only 2 of 3 parts/],
    [{ "README.md": "x" }, /no data/],
  ])("that visibly lacks data is an error: %j", async (files, message) => {
    putSnapshot(files);
    await expect(resolve("org/set", { HF_HUB_OFFLINE: "1" })).rejects.toMatchObject({ code: "source", message });
  });

  test("that is not there is an error offline", async () => {
    putSnapshot({ "a.jsonl": "{}" });
    const offline = { HF_HUB_OFFLINE: "true" };
    await expect(resolve("org/sett", offline)).rejects.toMatchObject({
      message: /org\/sett is not in .* Did you mean "org\/set"\?/,
    });
    await expect(resolve("org/set@v2", offline)).rejects.toMatchObject({ message: /org\/set at "v2" is not in/ });
    expect(hub.asked()).toEqual([]);
  });
});

test("names", () => {
  const read = (spec: string) => {
    const found = parseHubName(spec);
    return found && [found.name, found.revision, found.path];
  };
  expect(read("org/name")).toEqual(["org/name", undefined, undefined]);
  expect(read("hf://org/na.me@v1")).toEqual(["org/na.me", "v1", undefined]);
  expect(read("hf://datasets/org/name@refs%2Fpr%2F1/a/*.csv")).toEqual(["org/name", "refs/pr/1", "a/*.csv"]);
  expect(read("hf://squad")).toEqual(["squad", undefined, undefined]);
  expect([read("name"), read("a/b/c"), read("./a/b"), read("../b"), read("a/b*")]).toEqual(Array(5).fill(undefined));
  for (const bad of ["hf://", "hf://models/a/b/c", "hf://a/b/../c", "hf://../x"])
    expect(() => read(bad), bad).toThrow(/not a dataset of the hub/);
});
