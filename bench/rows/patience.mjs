import { formatMs } from "../lib/format.mjs";
import { kagurazaka, peer, taskFile } from "../lib/kagurazaka.mjs";
import { createLine } from "../lib/line.mjs";
import { runJson } from "../lib/process.mjs";
import { withService } from "../lib/service.mjs";
import { interleave } from "../lib/statistics.mjs";

const CONCURRENCY = 64;
const PER_SECOND = 100;

/** Services that ask to wait: `RetryAfterError` without a scope, and with one. */
export default {
  name: "patience",
  title: "services that answer 429",
  async measure({ short, runs }) {
    const task = taskFile("call.ts");
    await kagurazaka([task, "Call"], { done: 1 });
    const call = (items, port, ...more) => {
      const flags = ["--backbone", "mp", "--num_process", "1", "--concurrency", String(CONCURRENCY)];
      return kagurazaka([task, "Call", "--items", String(items), "--port", String(port), ...flags, ...more], {
        done: items,
      });
    };
    const some = short ? 1000 : 10_000;
    const loop = (port) => [process.execPath, peer("call-loop.mjs"), String(port), String(some), String(CONCURRENCY)];
    const times = await interleave(runs, {
      ours: async () => (await withService("once", (port) => call(some, port))).result.elapsedMs,
      theirs: async () => (await withService("once", (port) => runJson(loop(port)))).result.elapsedMs,
    });
    const many = short ? 500 : 4000;
    const limited = [];
    for (let i = 0; i < (short ? 1 : runs); i++)
      limited.push((await withService("limit", (port) => call(many, port, "--scope", "service"))).stats);
    const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
    const perSecond = median(limited.map(({ accepted, ms }) => (accepted * 1000) / ms));
    const share = median(limited.map(({ accepted, refused }) => refused / (accepted + refused)));
    const percent = (value) => `${(100 * value).toFixed(1)} %`;
    return [
      createLine({
        what: `${some} requests of 20 ms, 5 % answered 429 once: the time`,
        against: "a hand-written loop with backoff",
        ours: times.ours,
        theirs: times.theirs,
        format: formatMs,
        atMost: 1.15,
      }),
      createLine({
        what: `a limit of ${PER_SECOND} requests a second, ${many} requests: used of it`,
        against: "the limit",
        ours: perSecond,
        theirs: PER_SECOND,
        format: (value) => `${value.toFixed(1)}/s`,
        atLeast: 0.97,
      }),
      createLine({
        what: "the same: requests refused",
        against: "all requests",
        ours: share,
        theirs: 1,
        format: percent,
        atMost: 0.05,
      }),
    ];
  },
};
