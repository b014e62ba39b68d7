import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { calibrate } from "../lib/burn.mjs";
import { openFleet, redisServer } from "../lib/fleet.mjs";
import { formatCount, formatMegabytes, formatMs, formatRate } from "../lib/format.mjs";
import { kagurazaka, peer, taskFile } from "../lib/kagurazaka.mjs";
import { createLine, missingLine } from "../lib/line.mjs";
import { makeScratch, removeScratch, runJson } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const GOAL_PER_SECOND = 300_000;
const GOAL_FIRST_MS = 100;
const ITEM_MS = 5;

/** Coordinator, Redis and nodes on one machine: they share its processors. */
export default {
  name: "fleet",
  title: "bullmq: coordinator, Redis and nodes on this machine",
  async measure({ short, runs }) {
    if (redisServer() === undefined) throw new Error("there is no redis-server on PATH");
    return [
      ...(await noOp(short, runs)),
      ...(await twoNodes(short, runs)),
      ...(await firstItem(runs)),
      ...(await memory(short)),
    ];
  },
};

/** The first Python that has these modules: Debian's packages are the system's only. */
const pythonWith = (modules) =>
  ["python3", "/usr/bin/python3"].find((name) => spawnSync(name, ["-c", `import ${modules}`]).status === 0);

const onFleet = (url, words, options) => kagurazaka([...words, "--backbone", "bullmq", "--redis", url], options);
const perSecond = (items, { elapsedMs }) => (items * 1000) / elapsedMs;

async function noOp(short, runs) {
  const fleet = await openFleet();
  try {
    const items = short ? 200_000 : 2_000_000;
    const single = short ? 5000 : 50_000;
    const words = [taskFile("no-op.ts"), "NoOp"];
    await fleet.node([...words, "--num_process", "2"]);
    const bare = (count, perJob) => async () =>
      perSecond(count, await runJson([process.execPath, peer("bullmq.mjs"), fleet.url, String(count), String(perJob)]));
    const python = pythonWith("celery, redis");
    const celery = async () =>
      perSecond(single / 5, await runJson([python, peer("celery_peer.py"), fleet.url, String(single / 5)]));
    const rates = await interleave(runs, {
      fleet: async () =>
        perSecond(items, await onFleet(fleet.url, [...words, "--items", String(items)], { done: items })),
      bare1: bare(single, 1),
      bare1000: bare(items, 1000),
      ...(python ? { celery } : {}),
    });
    const line = {
      what: `bullmq, one node of 2 threads, ${formatCount(items)} no-op items`,
      ours: rates.fleet,
      format: formatRate,
    };
    return [
      createLine({ ...line, against: "the goal of 300k/s", theirs: GOAL_PER_SECOND, atLeast: 1 }),
      createLine({ ...line, against: "bare BullMQ, one job an item", theirs: rates.bare1 }),
      createLine({ ...line, against: "bare BullMQ, jobs of 1000 items, recording nothing", theirs: rates.bare1000 }),
      python
        ? createLine({ ...line, against: "Celery, 2 processes, results ignored", theirs: rates.celery })
        : missingLine(line.what, "Celery"),
    ];
  } finally {
    await fleet.close();
  }
}

async function twoNodes(short, runs) {
  const items = short ? 200 : 2000;
  const rounds = calibrate() * ITEM_MS;
  const words = [taskFile("fleet.ts"), "Fleet"];
  const over = (nodes) => async () => {
    const fleet = await openFleet();
    try {
      for (const cpus of nodes) await fleet.node([...words, "--num_process", "1"], { cpus });
      const options = ["--items", String(items), "--rounds", String(rounds)];
      return perSecond(items, await onFleet(fleet.url, [...words, ...options], { done: items }));
    } finally {
      await fleet.close();
    }
  };
  const rates = await interleave(runs, { one: over(["0"]), two: over(["0", "1"]) });
  const what = `bullmq, ${formatCount(items)} items that compute ${ITEM_MS} ms, 2 nodes of one core`;
  return [
    createLine({
      what,
      against: "one node of one core",
      ours: rates.two,
      theirs: rates.one,
      format: formatRate,
      atLeast: 1.9,
    }),
  ];
}

async function firstItem(runs) {
  const fleet = await openFleet();
  const dir = makeScratch();
  try {
    const words = [taskFile("fleet.ts"), "Fleet"];
    await fleet.node([...words, "--num_process", "1"]);
    const stampFile = join(dir, "stamps");
    const once = async () => {
      await onFleet(fleet.url, [...words, "--items", "1", "--stamp_file", stampFile], { done: 1 });
      return Number(readFileSync(stampFile, "utf8").trim().split("\n").at(-1));
    };
    await once();
    const { first } = await interleave(runs, { first: once });
    return [
      createLine({
        what: "bullmq, first item on an idle node, from its listing",
        against: "the goal of 100 ms",
        ours: first,
        theirs: GOAL_FIRST_MS,
        format: formatMs,
        atMost: 1,
      }),
    ];
  } finally {
    await fleet.close();
    removeScratch(dir);
  }
}

async function memory(short) {
  const peak = async (items) => {
    const fleet = await openFleet();
    try {
      const words = [taskFile("no-op.ts"), "NoOp"];
      await fleet.node([...words, "--num_process", "2"]);
      await onFleet(fleet.url, [...words, "--items", String(items)], { done: items });
      return Number(/used_memory_peak:(\d+)/.exec(fleet.cli("info", "memory"))[1]);
    } finally {
      await fleet.close();
    }
  };
  const items = short ? 1_000_000 : 10_000_000;
  const [few, many] = [await peak(100_000), await peak(items)];
  return [
    createLine({
      what: `bullmq, peak memory of Redis, ${formatCount(items)} no-op items`,
      against: "100k items",
      ours: many,
      theirs: few,
      format: formatMegabytes,
    }),
  ];
}
