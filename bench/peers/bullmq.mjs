// bullmq.mjs URL ITEMS PER_JOB: bare BullMQ. Jobs are added in bulk by this process, and done by a worker in another one.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

const [url, items, perJob, role] = process.argv.slice(2);
const name = `bare-${items}-${perJob}`;
const connection = () => new Redis(url, { maxRetriesPerRequest: null });

if (role === "worker") {
  const worker = new Worker(name, async () => {}, {
    connection: connection(),
    concurrency: 64,
    removeOnComplete: { count: 0 },
  });
  worker.on("ready", () => process.send("ready"));
  let done = 0;
  worker.on("completed", () => {
    if (++done === Math.ceil(items / perJob)) process.send("done");
  });
} else {
  const worker = fork(fileURLToPath(import.meta.url), [url, items, perJob, "worker"]);
  const said = (word) => new Promise((resolve) => worker.on("message", (message) => message === word && resolve()));
  await said("ready");
  const queue = new Queue(name, { connection: connection() });
  const whenDone = said("done");
  const started = performance.now();
  const jobs = Math.ceil(items / perJob);
  for (let from = 0; from < jobs; from += 1000) {
    const batch = [];
    for (let job = from; job < Math.min(jobs, from + 1000); job++) {
      const first = job * perJob;
      const data = Array.from({ length: Math.min(perJob, items - first) }, (_, i) => ({
        i: first + i,
        path: `data/${first + i}.bin`,
      }));
      batch.push({ name: "job", data });
    }
    await queue.addBulk(batch);
  }
  await whenDone;
  process.stdout.write(JSON.stringify({ elapsedMs: performance.now() - started }));
  await queue.obliterate({ force: true });
  worker.kill("SIGKILL");
  process.exit();
}
