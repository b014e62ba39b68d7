import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import type { OptionSpecs } from "../base/option-spec.js";
import type { FlagOwners } from "./flags.js";
import type { Report } from "./report.js";
import { runOptions, type ToolOption, toolOptions, writtenValue } from "./run-options.js";
import { optionValue } from "./section.js";
import { declaredName, flagName, snakeName } from "./text/names.js";
import { type Tree, treeFromCode, type ValueOrigin } from "./tree.js";

export interface DefaultsOwners extends FlagOwners {
  /** `static defaults` of the task's class, as it is written. */
  readonly taskDefaults?: unknown;
  /** Flags of the backbones that are not chosen; asked for only when no other owner has the name. */
  readonly otherBackboneFlags?: () => Promise<readonly string[]>;
}

const origin: ValueOrigin = { kind: "task", text: "task" };

/**
 * The task's own defaults, by names in snake_case: of the run's settings and of the backbone's flags. A flag that only another
 * backbone has is ignored, so that `num_process` may stand there while the task runs on `inline`.
 */
export async function readTaskDefaults(owners: DefaultsOwners, report: Report): Promise<Map<string, Tree>> {
  const trees = new Map<string, Tree>();
  const where = `static defaults of ${owners.taskName}`;
  const mistake = (code: "bad-value" | "unknown-flag", message: string, hint?: string): void =>
    report.refuse(code, message, { where, ...(hint === undefined ? {} : { hint }) });
  const defaults = owners.taskDefaults;
  if (defaults === undefined) return trees;
  if (typeof defaults !== "object" || defaults === null || Array.isArray(defaults)) {
    mistake("bad-value", "static defaults must be an object", "For example { num_process: 1, concurrency: 16 }.");
    return trees;
  }
  const spelled = new Map<string, string>();
  for (const [written, value] of Object.entries(defaults)) {
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
      mistake("bad-value", `${flagName(name)} can only be given when a run is started, not by the task`);
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
  readonly spec: ToolOption;
}

function findFlag(written: string, { backboneOptions }: DefaultsOwners): Flag | undefined {
  for (const specs of [runOptions, backboneOptions] as readonly OptionSpecs[]) {
    const name = declaredName(specs, written);
    if (name !== undefined) return { name, spec: specs[name]! };
  }
  return undefined;
}

/** Read here once, so that a bad value is the task's mistake even where a flag says something else. */
function valueTree({ name, spec }: Flag, value: unknown, report: Report): Tree {
  const tree = treeFromCode(writtenValue(spec, value), origin, [name]);
  optionValue(name, spec, tree, report);
  return tree;
}
