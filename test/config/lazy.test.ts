import { createRequire } from "node:module";
import { expect, test, vi } from "vitest";
import { folder, resolveArgv, template } from "./helpers.js";

let yamlLoads = 0;
vi.mock("yaml", async (original) => {
  yamlLoads++;
  return await original();
});

const required = (name: string): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes(`/node_modules/${name}/`));

test("a plain command loads neither yaml nor deepmerge; --cfg and --mixin load what they need", async () => {
  await resolveArgv("task.ts T --limit 3", { template: template() });
  expect([yamlLoads, required("deepmerge")]).toEqual([0, false]);
  await resolveArgv("task.ts T --mixin soft_shard.shard_num=3", { template: template() });
  expect([yamlLoads, required("deepmerge")]).toEqual([0, true]);
  await resolveArgv("task.ts T --cfg a.yaml", { template: template(), cwd: folder({ "a.yaml": "mixin: {}" }) });
  expect(yamlLoads).toBe(1);
});
