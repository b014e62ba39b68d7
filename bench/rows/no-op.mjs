import { formatCount, formatRate } from "../lib/format.mjs";
import { kagurazaka, peer, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { pythonVersion } from "../lib/machine.mjs";
import { runJson } from "../lib/process.mjs";
import { interleave } from "../lib/statistics.mjs";

const WORKERS = 2;

/** Items that do nothing: what dispatch, keys and the ledger cost. */
export default {
  name: "no-op",
  title: "no-op items {i, path}",
  async measure({ short, runs }) {
    const items = short ? 200_000 : 2_000_000;
    // One message per item and way: fewer items say as much about a rate.
    const pythonItems = short ? 20_000 : 100_000;
    const chunks = short ? [1000] : [100, 1000, 10_000];
    const python = await pythonVersion();
    const task = taskFile("no-op.ts");
    const run = (name, backbone) => async () => {
      const words = [task, name, "--items", String(items), ...backbone];
      return perSecond(items, await kagurazaka(words, { done: items }));
    };
    const mp = ["--backbone", "mp", "--num_process", String(WORKERS)];
    const pool = (count, chunk) => async () =>
      perSecond(count, await runJson(["python3", peer("pool.py"), String(WORKERS), String(count), String(chunk)]));
    await kagurazaka([task, "NoOp"], { done: 1 });

    const rates = await interleave(runs, {
      mp: run("NoOp", mp),
      piscina: async () =>
        perSecond(items, await runJson([process.execPath, peer("piscina-pool.mjs"), String(WORKERS), String(items)])),
      keyed: run("NoOpKeyed", mp),
      inline: run("NoOp", ["--backbone", "inline"]),
      loop: async () => perSecond(items, await runJson([process.execPath, peer("bare-loop.mjs"), String(items)])),
      ...(python ? { python1: pool(pythonItems, 1) } : {}),
      ...(python ? Object.fromEntries(chunks.map((chunk) => [`python${chunk}`, pool(items, chunk)])) : {}),
    });
    const best = Math.max(...chunks.map((chunk) => rates[`python${chunk}`] ?? 0));
    const bestChunk = chunks.find((chunk) => rates[`python${chunk}`] === best);

    const what = `mp, ${WORKERS} threads, ${formatCount(items)} items`;
    const against = (name, theirs, goal, ours = rates.mp, title = what) =>
      createLine({ what: title, against: name, ours, theirs, format: formatRate, ...goal });
    return [
      against("the goal of 1.0M/s", 1e6, { atLeast: 1 }),
      against("bare piscina, arrays of 1000", rates.piscina, { atLeast: 0.8 }),
      ...(python
        ? [
            against("Python Pool.imap_unordered, chunksize 1", rates.python1, { atLeast: 20 }),
            against(`Python Pool.imap_unordered, chunksize ${bestChunk} (its best)`, best, { atLeast: 1.1 }),
          ]
        : [against("Python: there is no python3 here", Number.NaN, {})]),
      against("the same without keyOf", rates.mp, {}, rates.keyed, `${what}, keyOf given`),
      against("bare loop of an async no-op", rates.loop, {}, rates.inline, `inline, ${formatCount(items)} items`),
    ];
  },
};

const perSecond = (items, { elapsedMs }) => (items * 1000) / elapsedMs;
