import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { describe, expect, test } from "vitest";
import { createPlace } from "../e2e/kagurazaka.js";

const task = `
import { KagurazakaTask } from "kagurazaka";
import { appendFileSync, readFileSync, readlinkSync } from "node:fs";
import { threadId } from "node:worker_threads";
export class Where extends KagurazakaTask<{ id: number }> {
  *generateTasks() { for (let id = 0; id < 4; id++) yield { id }; }
  async process(_: { id: number }) {
    const allowed = () => /Cpus_allowed_list:\\t(.*)/.exec(readFileSync(\`/proc/\${readlinkSync("/proc/thread-self")}/status\`, "utf8"))![1]!;
    // It is pinned while it starts.
    for (let i = 0; i < 200 && allowed().length > 1; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    appendFileSync("allowed", \`\${process.pid}-\${threadId} \${allowed()}\\n\`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}`;
const args = ["where.ts", "Where", "--backbone", "mp", "--num_process", "2", "--json"];

const hasTaskset = process.platform === "linux" && spawnSync("taskset", ["--version"]).status === 0;
const notBecause =
  hasTaskset && availableParallelism() > 1 ? "" : " (skipped: it takes Linux, taskset and two processors)";

describe.each(["thread", "process"])("--cpu_affinity, each worker a %s", (isolation) => {
  test.runIf(notBecause === "")(`gives workers processors in turn${notBecause}`, async () => {
    const place = createPlace({ "where.ts": task });
    const { code, stderr } = await place.run([...args, "--isolation", isolation, "--cpu_affinity", "0,1"]);
    expect(code, stderr).toBe(0);
    const said = [...new Set(place.read("allowed").trim().split("\n"))];
    // Two workers, and each of them always on the same one.
    expect(said.map((line) => line.split(" ")[1]).toSorted(), said.join()).toEqual(["0", "1"]);
  });
});

test.runIf(process.platform === "linux").each([
  ["a processor that does not exist", "0,4095", {}, /\[backbone\] there is no processor 4095.*(?:\n.*)*counted from 0/],
  ["no taskset", "0", { PATH: "/nowhere" }, /\[backbone\] taskset is not installed(?:\n.*)*util-linux/],
  ["no list", "one", {}, /\[bad-value\] cpu_affinity must be a list of processors/],
  ["a list that goes backwards", "3-1", {}, /\[bad-value\]/],
])("%s: a mistake, and nothing is written", async (_, list, env, says) => {
  const place = createPlace({ "where.ts": task });
  const { code, stderr } = await place.run([...args, "--cpu_affinity", list], env);
  expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
  expect(place.everything()).toEqual(["where.ts"]);
});
