import { afterEach, expect, test, vi } from "vitest";
import { KagurazakaError } from "../../../src/base/errors.js";
import type { FleetJob } from "../../../src/contracts/fleet.js";
import { refusalOf } from "../../../src/runner/node/refusal.js";

afterEach(() => vi.unstubAllEnvs());

const jobWith = (task: Record<string, string>) =>
  ({ task: { config: { task, mixin: null, rawArgs: [] } } }) as unknown as FleetJob;

test("values of this machine's environment that a run names stay on this machine", () => {
  vi.stubEnv("DATA_KEY", "hunter2-of-the-node");
  vi.stubEnv("ONE", "1");
  const job = jobWith({
    root: "/data/${oc.env:DATA_KEY}",
    other: "${oc.env: DATA_KEY,none}${oc.env:ONE}${oc.env:NONE}",
  });
  const cause = new Error("no /data/hunter2-of-the-node");
  const details = { hint: "Make hunter2-of-the-node.", cause };
  const refusal = refusalOf(new KagurazakaError("input-root", "1 of /data/hunter2-of-the-node", details), job);
  expect(JSON.stringify(refusal)).not.toContain("hunter2");
  expect(refusal).toMatchObject({
    code: "input-root",
    message: "1 of /data/${oc.env:DATA_KEY}",
    hint: "Make ${oc.env:DATA_KEY}.",
    cause: { message: "no /data/${oc.env:DATA_KEY}" },
  });
});

test("other errors are told as they are", () =>
  expect(refusalOf(new Error("out of order"), jobWith({}))).toMatchObject({ name: "Error", message: "out of order" }));
