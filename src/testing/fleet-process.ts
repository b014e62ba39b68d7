import type { Socket } from "node:net";
import { isFleetBackbone } from "../contracts/backbone.js";
import type { WrittenConfig } from "../contracts/run-config.js";
import { runNode } from "../runner/node/run-node.js";
import { loadBackbone } from "../runner/prepare/find-backbone.js";
import { prepareSample, runSampleIn, type SampleSpec } from "./sample-run.js";

/** The argument of a process that the fleet suite starts, as JSON. */
export interface FleetProcess {
  readonly role: "node" | "coordinator";
  readonly name: string;
  /** The fleet backbone, as `--backbone` takes it. */
  readonly module: string;
  readonly fleetOptions: Readonly<Record<string, unknown>>;
  readonly dir: string;
  readonly spec: SampleSpec;
}

async function main(): Promise<void> {
  // The pipe to the test ends when the test has ended, however that came about. Nothing of ours may outlive it.
  process.stdin.on("end", () => process.exit(1)).resume();
  (process.stdin as Socket).unref();
  const { role, name, module, fleetOptions, dir, spec } = JSON.parse(process.argv[2]!) as FleetProcess;
  const fleet = await loadBackbone(module, "item", import.meta.filename);
  if (!isFleetBackbone(fleet)) throw new Error(`${module} is no fleet backbone`);
  if (role === "coordinator") return void (await runSampleIn(dir, { ...spec, options: fleetOptions, backbone: fleet }));
  const mp = await loadBackbone("mp", "item", import.meta.filename);
  const prepare = (written?: WrittenConfig) =>
    prepareSample(dir, { ...spec, options: { numProcess: "2" } }, mp, written);
  const abort = new AbortController();
  process.once("SIGTERM", () => abort.abort());
  const { program, fileHashes, sourcePath } = await prepare();
  const { config } = await prepareSample(dir, { ...spec, options: fleetOptions }, fleet);
  await runNode({
    task: { ...program.ref, fileHashes, sourcePath },
    prepare: ({ task }) => prepare(task.config),
    fleet,
    fleetOptions: config.backbone.options,
    name,
    backbone: "mp",
    version: "0",
    slots: 2,
    signal: abort.signal,
    onWarning: console.error,
  });
}

await main();
