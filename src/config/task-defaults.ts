import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import type { Report } from "./mixin.js";
import { runOptions, type ToolOption, toolOptions } from "./run-options.js";
import { optionValue } from "./section.js";
import { declaredName, flagName, snakeName } from "./text/names.js";
import { type Tree, treeFromCode, type ValueOrigin } from "./tree.js";

interface DefaultsOwners {
  readonly taskName: string;
  /** `static defaults` of the task's class, as it is written. */
  readonly taskDefaults?: unknown;
  readonly taskOptions: OptionSpecs;
  readonly backboneOptions: OptionSpecs;
  /** Flags of the backbones that are not chosen; asked for only when a name is nobody else's. */
  readonly otherBackboneFlags?: () => Promise<readonly string[]>;
}

const place: ValueOrigin = { kind: "task", text: "task" };

/**
 * What the task's author thinks fits, by the one spelling: values of the run's settings and of the backbone's flags. A flag
 * that only another backbone has is passed over, so that `num_process` may stand there whatever the task is run on.
 */
export async function readTaskDefaults(owners: DefaultsOwners, report: Report): Promise<ReadonlyMap<string, Tree>> {
  const trees = new Map<string, Tree>();
  const where = `static defaults of ${owners.taskName}`;
  const mistake = (code: "bad-value" | "unknown-flag", message: string, hint?: string): void =>
    report.mistake(new KagurazakaError(code, message, { where, ...(hint === undefined ? {} : { hint }) }));
  const said = owners.taskDefaults;
  if (said === undefined) return trees;
  if (typeof said !== "object" || said === null || Array.isArray(said)) {
    mistake("bad-value", "static defaults must be an object", "For example { num_process: 1, concurrency: 16 }.");
    return trees;
  }
  const spelled = new Map<string, string>();
  for (const [written, value] of Object.entries(said)) {
    if (value === undefined) continue;
    const name = snakeName(written);
    const twin = spelled.get(name);
    spelled.set(name, written);
    const found = findFlag(name, owners);
    if (twin !== undefined) {
      mistake("bad-value", `"${twin}" and "${written}" are two spellings of one flag; use one`);
    } else if (found) {
      try {
        trees.set(name, valueTree(found, value, report));
      } catch (error) {
        if (!KagurazakaError.is(error)) throw error;
        mistake("bad-value", error.message);
      }
    } else if (declaredName(owners.taskOptions, written) !== undefined) {
      mistake("bad-value", `"${written}" is an option of the task itself`, "Give that option a default.");
    } else if (declaredName(toolOptions, written) !== undefined) {
      mistake("bad-value", `${flagName(name)} is for whoever starts the run to say, not for the task`);
    } else {
      const others = (await owners.otherBackboneFlags?.()) ?? [];
      if (others.some((other) => snakeName(other) === name)) continue;
      const known = [...Object.keys(runOptions), ...Object.keys(owners.backboneOptions), ...others].map(snakeName);
      mistake("unknown-flag", `there is no flag "${written}".${didYouMean(name, known)}`);
    }
  }
  return trees;
}

interface Flag {
  readonly name: string;
  readonly spec: OptionSpec | ToolOption;
}

function findFlag(said: string, { backboneOptions }: DefaultsOwners): Flag | undefined {
  for (const specs of [runOptions, backboneOptions] as readonly OptionSpecs[]) {
    const name = declaredName(specs, said);
    if (name !== undefined) return { name, spec: specs[name]! };
  }
  return undefined;
}

/** Read here once, so that a bad value is the task's mistake even where a flag says something else. */
function valueTree({ name, spec }: Flag, value: unknown, report: Report): Tree {
  const write = "write" in spec && typeof value !== "string" ? spec.write : undefined;
  const tree = treeFromCode(write ? write(value as never) : value, place, [name]);
  optionValue(name, spec, tree, report);
  return tree;
}
