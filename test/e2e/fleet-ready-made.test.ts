import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until } from "../faults/harness/command.js";
import { freePort, startRedis } from "../support/redis.js";
import { createPlace } from "./kagurazaka.js";

const onFleet = ["--backbone", "bullmq", "--with_worker", "--json"];

async function runLines(url: string): Promise<void> {
  const place = createPlace({ lines: "a\nb\nc\n" });
  const words = ["@exec", ...onFleet, "--lines", "lines", "--", "sh", "-c", 'echo "$0" >> seen', "{}"];
  const { json, stderr } = await place.run(words, { KAGURAZAKA_REDIS: url });
  expect(json.counts, stderr).toMatchObject({ total: 3, done: 3 });
  expect(place.read("seen").split("\n").sort()).toEqual(["", "a", "b", "c"]);
}

test("@exec runs on a fleet: over lines, and over files with an output each", async () => {
  const redis = await startRedis();
  try {
    await runLines(redis.url);
    const place = createPlace({ "in/x": "2\n1\n", "in/y": "3\n" });
    const words = ["@exec", ...onFleet, "--in", "in", "--out", "out", "--stdout-to", "output", "--", "sort", "{}"];
    const { json, stderr } = await place.run(words, { KAGURAZAKA_REDIS: redis.url });
    expect(json.counts, stderr).toMatchObject({ total: 2, done: 2 });
    expect(place.files("out")).toEqual({ x: "1\n2\n", y: "3\n" });
  } finally {
    await redis.close();
  }
});

test("@map runs on a fleet", async () => {
  const redis = await startRedis();
  try {
    const rows = Array.from({ length: 100 }, (_, id) => `${JSON.stringify({ id })}\n`).join("");
    const code = "export const twice = ({ id }) => ({ id, twice: 2 * id });\n";
    const place = createPlace({ "in/a.jsonl": rows, "f.mjs": code });
    const map = (...more: string[]) =>
      place.run(["@map", "f.mjs#twice", ...onFleet, "--in", "in", "--out", "out", "--slice-rows", "30", ...more], {
        KAGURAZAKA_REDIS: redis.url,
      });
    const { json, stderr } = await map();
    expect(json, stderr).toMatchObject({ counts: { total: 4, done: 4 }, amounts: { rows_in: 100, rows_out: 100 } });
    const written = Object.entries(place.files("out")).filter(([name]) => name.startsWith("train-"));
    const ids = written.flatMap(([, text]) =>
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).twice / 2),
    );
    expect(ids).toEqual(Array.from({ length: 100 }, (_, id) => id));
  } finally {
    await redis.close();
  }
});

test("on a Redis that a sentinel tells of", async () => {
  const redis = await startRedis();
  const port = await freePort();
  const file = join(redis.dir, "sentinel.conf");
  writeFileSync(file, `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${redis.port} 1\n`);
  const server = spawn("redis-server", [file, "--sentinel"], { cwd: redis.dir, stdio: "ignore" });
  try {
    await runLines(`redis-sentinel://127.0.0.1:${port}/main`);
  } finally {
    server.kill("SIGKILL");
    await redis.close();
  }
});

test("on a cluster", async () => {
  const redis = await startRedis(["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]);
  try {
    redis.cli("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await until("the cluster is ready", () => redis.cli("CLUSTER", "INFO").includes("cluster_state:ok"));
    await runLines(`redis-cluster://127.0.0.1:${redis.port}`);
  } finally {
    await redis.close();
  }
});
