import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { KagurazakaError, MistakesError } from "../../src/base/errors.js";
import type { OptionSpecs } from "../../src/base/option-spec.js";
import { type CodeOptions, inputFromArgv, inputFromCode } from "../../src/config/raw-input.js";
import { type ConfigOwners, type Resolved, resolveConfig } from "../../src/config/resolve.js";
import {
  defineFinishCheck,
  defineHardShardMode,
  defineInputMode,
  defineOutputMode,
  defineSoftShard,
  type TemplateUse,
} from "../../src/contracts/define.js";
import type { ModeDefinition } from "../../src/contracts/modes.js";

const noList = () => [];

export const NoHardShard = defineHardShardMode({
  name: "NoHardShard",
  help: "Roots as given.",
  fields: {
    inputPath: { type: "string", required: true, help: "Input root." },
    outputPath: { type: "string", required: true, nullable: true },
  },
  roots: () => [],
});
export const SoftShard = defineSoftShard({
  name: "SoftShard",
  help: "Part of the items.",
  fields: {
    shardIdx: { type: "integers", required: true },
    shardNum: { type: "integer", required: true, min: 1 },
    subshard: { type: "json", nullable: true },
  },
  selector: () => () => true,
  scope: () => [],
});
export const InputByExts = defineInputMode<unknown>()({
  name: "InputByExts",
  help: "Files by ending.",
  fields: { exts: { type: "strings", required: true }, hidden: { type: "boolean", default: false } },
  yields: "file",
  uniqueKeys: true,
  readsInputRoot: true,
  list: noList,
});
export const InputByGlob = defineInputMode<unknown>()({
  name: "InputByGlob",
  help: "Files by pattern.",
  fields: { globPattern: { type: "string", required: true }, settleTime: { type: "duration", default: "1s" } },
  yields: "file",
  uniqueKeys: true,
  readsInputRoot: true,
  list: noList,
});
export const OutputByFilenameSubfoldering = defineOutputMode<unknown>()({
  name: "OutputByFilenameSubfoldering",
  help: "A directory per input.",
  fields: { fileToWrite: { type: "map", required: true } },
  accepts: "file",
  unique: true,
  outputs: () => [],
});
export const FinishCheck = defineFinishCheck({
  name: "FinishCheckByLedger",
  help: "The ledger decides.",
  fields: {},
  rule: () => ({ by: "ledger" }),
});

const modes: ReadonlyMap<string, ModeDefinition> = new Map(
  [NoHardShard, SoftShard, InputByExts, InputByGlob, OutputByFilenameSubfoldering, FinishCheck].map((mode) => [
    mode.definition.name,
    mode.definition as unknown as ModeDefinition,
  ]),
);

export const template = (spec: Record<string, unknown> = {}, mixinMode = true): TemplateUse => ({
  contract: 1,
  name: "moemoecueNormal",
  kind: "item",
  mixinMode,
  spec: {
    hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }),
    softShard: SoftShard({ shardIdx: 0, shardNum: 1 }),
    inputMode: InputByExts({ exts: [".txt"] }),
    ...spec,
  } as TemplateUse["spec"],
});

export const owners = (more: Partial<ConfigOwners> = {}): ConfigOwners => ({
  backboneName: "mp",
  backboneOptions: { num_process: { type: "string", default: "auto" } },
  taskName: "T",
  taskOptions: {},
  loadMode: async (name) => modes.get(name),
  modeNames: [...modes.keys()],
  scriptPath: "/tasks/task.ts",
  env: {},
  ...more,
});

/** An empty directory with these files in it. */
export function folder(files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-config-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

export const resolveArgv = (line: string | readonly string[], more: Partial<ConfigOwners> = {}): Promise<Resolved> =>
  resolveConfig(inputFromArgv(typeof line === "string" ? line.split(" ").filter(Boolean) : line), owners(more));

export const resolveCode = (options: CodeOptions, more: Partial<ConfigOwners> = {}): Promise<Resolved> =>
  resolveConfig(inputFromCode(options), owners(more));

/** A templated task, one --cfg text, further words. */
export const resolveYaml = (cfg: string, words = "", more: Partial<ConfigOwners> = {}): Promise<Resolved> =>
  resolveArgv(`task.ts T --cfg base.yaml ${words}`, {
    template: template(),
    cwd: folder({ "base.yaml": cfg }),
    ...more,
  });

/** What went wrong, each mistake as `code | message | where`. */
export async function mistakesOf(run: () => unknown): Promise<string[]> {
  try {
    await run();
  } catch (error) {
    if (error instanceof MistakesError) return error.mistakes.map(line);
    if (KagurazakaError.is(error)) return [line(error)];
    throw error;
  }
  throw new Error("nothing went wrong");
}

const line = (error: KagurazakaError): string =>
  [error.code, error.message, error.where ?? "", error.hint ?? ""].join(" | ");

export const taskOptions = <S extends OptionSpecs>(specs: S): { taskOptions: S } => ({ taskOptions: specs });

export const placeholder = "???";

/** A mode that only the task file knows. */
export const defineOwnMode = () =>
  defineInputMode<unknown>()({
    name: "Own",
    help: "",
    fields: { size: { type: "size" } },
    yields: "record",
    uniqueKeys: true,
    readsInputRoot: false,
    list: noList,
  });
