import {
  didYouMean,
  type Fields,
  type InputModeData,
  KagurazakaError,
  type ModeData,
  modeDefinitionOf,
  type OutputModeData,
  type TemplateUse,
  templateBrand,
  templateModeFields,
} from "../src/kit.js";
import type { AnyTaskClass, FieldIsNotInjectedByTheModes, NotInjected } from "./injection.js";
import SoftShard from "./modes/soft-shard.js";

/** The argument of `@moemoecueNormal`. Each mode may be a `KAGURAZAKA_MIXIN_PLACEHOLDER`; `null` switches an optional one off. */
export interface NormalSpec<In, Out> {
  /** Where inputs lie and outputs go. */
  readonly hardShardMode: ModeData<"hard-shard">;
  /** Which part of the inputs this run takes. @defaultValue SoftShard(), which is all of them */
  readonly softShard?: ModeData<"soft-shard"> | null;
  /** Supplies `generateTasks`, and injects `input` or the fields of a record. */
  readonly inputMode?: In;
  /** Injects `output`, and what else the mode names. */
  readonly outputMode?: Out;
  /** Decides which items are finished; a check that looks at outputs needs an output mode. Without it the ledger decides. */
  readonly finishCheckMode?: ModeData<"finish-check"> | null;
  /** `false`: the decorator does nothing at all. @defaultValue true */
  readonly apply?: boolean;
  /** `false`: configuration may not change the modes. @defaultValue true */
  readonly mixinMode?: boolean;
  /** `false`: `process` writes straight to the final paths, and what it left half-written stays. @defaultValue true */
  readonly atomic?: boolean;
  /**
   * `true`: a run without an output path has no outputs, and the ledger decides what is finished. `process` then gets none.
   * @defaultValue false: such a run is a mistake
   */
  readonly outputsOptional?: boolean;
}

type AnyInputMode = InputModeData<never> | null | undefined;
type AnyOutputMode = OutputModeData<never> | null | undefined;

/** A TC39 class decorator that only takes tasks whose methods read no more than the modes inject. */
type NormalTemplate<In, Out> = <C extends AnyTaskClass>(
  target: C &
    ([NotInjected<C, In, Out>] extends [never] ? unknown : FieldIsNotInjectedByTheModes<NotInjected<C, In, Out>>),
  context: ClassDecoratorContext<C>,
) => void;

const NAME = "@moemoecueNormal";
const optionFields = ["apply", "mixinMode", "atomic", "outputsOptional"];

/**
 * Makes a class a task of modes: they find inputs, name outputs and decide which items are finished, and `process` gets what
 * they inject. The modes stay data until the run is configured, so that YAML and `--mixin` can change them. A field that
 * `process`, `isExecuted` or `verify` reads and no mode injects is a type error.
 *
 * @throws KagurazakaError `not-a-task`, while the task's file loads, for a decorator that is used wrongly
 */
export function moemoecueNormal<In extends AnyInputMode = undefined, Out extends AnyOutputMode = undefined>(
  spec: NormalSpec<In, Out>,
): NormalTemplate<In, Out> {
  if (typeof spec !== "object" || spec === null) {
    throw wrong(`${NAME} needs its modes`, `Write ${NAME}({ hardShardMode: NoHardShard({ inputPath: "in" }), … }).`);
  }
  const { apply = true, mixinMode = true, atomic = true, outputsOptional = false } = spec;
  const use: TemplateUse = {
    contract: 1,
    name: "moemoecueNormal",
    kind: "item",
    mixinMode,
    atomic,
    outputsOptional,
    spec: checkSpec(spec),
  };

  return (target, context) => {
    checkUse(target, context);
    if (apply) Object.defineProperty(target, templateBrand, { value: use, enumerable: false });
  };
}

function checkUse(target: object, context: ClassDecoratorContext | undefined): void {
  if (typeof context !== "object" || context === null) {
    throw wrong(
      `${NAME} was called as a legacy decorator`,
      'It is a standard (TC39) decorator: take "experimentalDecorators" out of tsconfig.json and do not call it by hand.',
    );
  }
  if (context.kind !== "class") throw wrong(`${NAME} stands on a ${context.kind}`, "Put it in front of the class.");
  if (Object.hasOwn(target, templateBrand)) throw wrong(`class ${context.name} has two templates`, "Keep one of them.");
}

/** The modes as written, and the default soft shard where none is written, so that a mixin can merge into it. */
function checkSpec(spec: NormalSpec<unknown, unknown>): TemplateUse["spec"] {
  const written = spec as unknown as Readonly<Record<string, unknown>>;
  const known = [...Object.keys(templateModeFields), ...optionFields];
  for (const field of Object.keys(written)) {
    if (!known.includes(field))
      throw wrong(`${NAME} has no field "${field}".${didYouMean(field, known)}`, `It has: ${known.join(", ")}.`);
  }
  if (written.hardShardMode === undefined || written.hardShardMode === null) {
    throw wrong(
      `${NAME} needs a hardShardMode`,
      'For example hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }).',
    );
  }
  for (const [field, kind] of Object.entries(templateModeFields)) checkMode(field, kind, written[field]);
  if (!isSaid(written.outputMode) && looksAtOutputs(written.finishCheckMode)) {
    throw wrong(
      `${NAME} has a finishCheckMode but no outputMode`,
      "Add an outputMode, or leave the check out: then the ledger decides.",
    );
  }
  const modes = Object.entries(written).filter(
    ([field, value]) => value !== undefined && !optionFields.includes(field),
  );
  return { softShard: SoftShard(), ...Object.fromEntries(modes) } as TemplateUse["spec"];
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null;

/** False for a placeholder: a check that configuration names is checked when the run is prepared. */
function looksAtOutputs(check: unknown): boolean {
  const definition = modeDefinitionOf(check);
  return definition?.kind === "finish-check" && definition.rule(check as Fields).by === "files";
}

/** "???" is the placeholder: configuration names the mode. */
function checkMode(field: string, kind: string, value: unknown): void {
  if (!isSaid(value) || value === "???") return;
  if (typeof value === "function" && "definition" in value) {
    const { name } = value.definition as { name: string };
    throw wrong(`${field} is a mode that was not called`, `Write ${field}: ${name}({ … }).`);
  }
  const definition = modeDefinitionOf(value);
  if (definition?.kind === kind) return;
  const right = Object.entries(templateModeFields).find(([, other]) => other === definition?.kind)?.[0];
  const what = definition === undefined ? "not a mode" : `${definition.name}, which is a mode for ${right}`;
  throw wrong(`${field} is ${what}`, `Write a call such as ${field}: ${examples[kind]}.`);
}

const examples: Readonly<Record<string, string>> = {
  "hard-shard": 'NoHardShard({ inputPath: "in", outputPath: "out" })',
  "soft-shard": "SoftShard({ shardIdx: 0, shardNum: 4 })",
  input: 'InputByExts({ exts: [".txt"] })',
  output: 'OutputByAppendingExt({ ext: ".json" })',
  "finish-check": "FinishCheckByOutputFileExistence()",
};

function wrong(message: string, hint: string): KagurazakaError {
  return new KagurazakaError("not-a-task", message, { hint });
}
