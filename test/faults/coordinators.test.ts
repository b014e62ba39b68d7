import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNotes } from "./harness/disk.js";
import { report } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";
import { atWork, checkRefused, checkWhole, elsewhere, mayRename, segments, slow } from "./scenarios/coordinators.js";
import { Job, type JobKind } from "./scenarios/jobs.js";

let workplace: Workplace;
let tree: ReadonlyMap<string, string>;
beforeAll(async () => {
  workplace = openWorkplace("coordinators");
  const reference = openJob("reference");
  await reference.run({ env: { FAULTS_SLEEP_MS: "1" } });
  tree = reference.tree();
});
afterAll(() => workplace[Symbol.dispose]());

function openJob(name: string, kind: JobKind = "Files"): Job {
  const job = new Job(workplace.path(name), kind, workplace.path("cache"));
  job.writeInput();
  return job;
}

describe.concurrent("two coordinators on one root", () => {
  test("the second is refused with exit 6 and told who holds it; when the first is killed it starts at once", async () => {
    const job = openJob("two");
    const first = job.start({ env: slow });
    await atWork(first);
    checkRefused(await job.run(), first.pid);
    checkRefused(await job.run({ extra: ["--shard", "0/2"] }), first.pid);
    // Only its own, if it has recorded anything yet.
    expect(segments(job).size).toBeLessThanOrEqual(1);
    expect(first.alive).toBe(true);
    first.kill("SIGKILL");
    await first.ended;
    const killedAt = performance.now();
    const second = job.start();
    await atWork(second, 1);
    report("start after a SIGKILLed holder", { ms: performance.now() - killedAt });
    // A heartbeat would be watched for 20 s.
    expect(performance.now() - killedAt).toBeLessThan(10_000);
    const { code, stderr } = await second.ended;
    expect(code, stderr).toBe(3);
    checkWhole(job, tree);
  });

  test("shards 0/2 and 1/2 work side by side on one root; 0/3 and the whole are refused meanwhile", async () => {
    const job = openJob("shards");
    const shards = ["0/2", "1/2"].map((shard) => job.start({ env: slow, extra: ["--shard", shard] }));
    await Promise.all(shards.map((shard) => atWork(shard)));
    const refused = await Promise.all([job.run({ extra: ["--shard", "0/3"] }), job.run()]);
    for (const { code, stderr } of refused) expect(code, stderr).toBe(6);
    const ended = await Promise.all(shards.map((shard) => shard.ended));
    // The item that always fails is in one of them.
    expect(ended.map(({ code }) => code).sort()).toEqual([0, 3]);
    const [zero, one] = shards.map(({ notes }) => new Set(readNotes(notes)));
    expect([...zero!].filter((key) => one!.has(key))).toEqual([]);
    report("shards side by side", { "0/2 started": zero!.size, "1/2 started": one!.size });
    checkWhole(job, tree);
  });

  test("a shard that was killed leaves no staging behind for the whole", async () => {
    const job = openJob("shard-killed");
    const shard = job.start({ env: slow, extra: ["--shard", "0/2"] });
    await atWork(shard);
    shard.kill("SIGKILL");
    await shard.ended;
    expect(job.leftovers()).not.toEqual([]);
    const { code, stderr } = await job.run();
    expect(code, stderr).toBe(3);
    checkWhole(job, tree);
  });

  // Another host name needs root on Linux; on the same host a stopped process is seen to live.
  // Items of Files then fail for their staging, which is swept; those of Records succeed, and must not be recorded.
  test.skipIf(!mayRename).each(["Files", "Records"] as const)(
    "a stopped holder whose lease was taken over writes nothing when it comes back, and exits 6 (%s)",
    async (kind) => {
      const job = openJob(`stopped-${kind}`, kind);
      const first = job.start({ env: slow });
      await atWork(first, 8);
      // Its heartbeat has begun by then.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      first.kill("SIGSTOP");
      const frozen = segments(job);
      const second = await job.run({ within: elsewhere });
      expect(second.code, second.stderr).toBe(3);
      expect(second.stderr).toContain("watching its heartbeat");
      const taken = segments(job);
      first.kill("SIGCONT");
      const { code, stderr } = await first.ended;
      expect(code, stderr).toBe(6);
      expect(stderr.match(/^error\b/gm)).toHaveLength(1);
      expect(stderr).toContain("taken over");
      expect(segments(job)).toEqual(taken);
      for (const [name, bytes] of frozen) expect(taken.get(name)).toBe(bytes);
      report(`stopped holder (${kind})`, {
        "watched for ms": second.elapsedMs,
        started: readNotes(first.notes).length,
      });
      checkWhole(job, kind === "Files" ? tree : new Map());
    },
  );
});
