import type { OptionSpec, OptionSpecs, OptionValues } from "../base/option-spec.js";
import type { FleetBackbone, WorkerBackbone } from "./backbone.js";
import type {
  Fields,
  FinishCheckDefinition,
  HardShardDefinition,
  InputDefinition,
  InputModeData,
  ModeData,
  ModeDefinition,
  OutputDefinition,
  OutputModeData,
  SoftShardDefinition,
} from "./modes.js";
import type { TaskKind } from "./task.js";

/** Identity is a registered symbol plus a contract number, never `instanceof`: a plug-in may bring its own copy of this package. */
export const modeBrand = Symbol.for("kagurazaka.mode");
export const templateBrand = Symbol.for("kagurazaka.template");

/** What a template decorator attaches to a class. */
export interface TemplateUse {
  readonly contract: 1;
  /** The decorator's name, for messages. */
  readonly name: string;
  readonly kind: TaskKind;
  /** Field → mode data or null, as written. */
  readonly spec: Readonly<Record<string, ModeData | null | undefined>>;
  /** `false`: configuration may not change it. */
  readonly mixinMode: boolean;
  /** `false`: outputs are written to their final paths, where half-written ones are visible. Default: staged, then renamed. */
  readonly atomic?: boolean;
  /** `true`: without an output path, the task has no outputs. Default: an output path is required. */
  readonly outputsOptional?: boolean;
}

/** The fields of a mode as a task writes them: required ones must be there. `null` switches a nullable one off. */
export type FieldsOf<S extends OptionSpecs> = {
  -readonly [K in keyof S as S[K] extends { required: true } ? K : never]: Written<S, K>;
} & { -readonly [K in keyof S as S[K] extends { required: true } ? never : K]?: Written<S, K> };

type Written<S extends OptionSpecs, K extends keyof S> =
  | (S[K] extends { type: "duration" }
      ? Duration | Extract<OptionValues<S>[K], null>
      : Exclude<OptionValues<S>[K], undefined>)
  // A list of one may be written without brackets, in code as in YAML.
  | (S[K] extends { type: "strings" | "size" } ? string : never);

/** `"500ms"`, `"60s"`. A number would not say its unit. */
type Duration = string | 0;

/** Called without `new`. Returns plain data, which configuration can be merged into. */
export interface ModeFactory<D extends ModeDefinition, Data extends ModeData> {
  (
    // biome-ignore lint/complexity/noBannedTypes: {} is "no field is required".
    ...fields: {} extends FieldsOf<D["fields"]> ? [fields?: FieldsOf<D["fields"]>] : [fields: FieldsOf<D["fields"]>]
  ): Data;
  readonly definition: D;
}

function createFactory<D extends ModeDefinition, Data extends ModeData>(definition: object): ModeFactory<D, Data> {
  const factory = (fields: Record<string, unknown> = {}): Data => {
    const data = { use: (definition as D).name, ...fields };
    Object.defineProperty(data, modeBrand, { value: definition, enumerable: false });
    return data as unknown as Data;
  };
  return Object.assign(factory, { definition }) as unknown as ModeFactory<D, Data>;
}

/** A definition as its author writes it: each callback gets the fields with the types they are declared with. */
type Described<D extends ModeDefinition, S extends OptionSpecs> = {
  [K in keyof D as Exclude<K, "contract" | "kind" | "fields">]: WithFields<D[K], S>;
} & { readonly fields: S };

type WithFields<Member, S extends OptionSpecs> = Member extends (fields: Fields, ...rest: infer Rest) => infer Result
  ? (fields: OptionValues<S>, ...rest: Rest) => Result
  : Member;

export function defineHardShardMode<const S extends OptionSpecs>(
  mode: Described<HardShardDefinition, S>,
): ModeFactory<HardShardDefinition<S>, ModeData<"hard-shard">> {
  return createFactory({ ...mode, contract: 1, kind: "hard-shard" });
}

export function defineSoftShard<const S extends OptionSpecs>(
  mode: Described<SoftShardDefinition, S>,
): ModeFactory<SoftShardDefinition<S>, ModeData<"soft-shard">> {
  return createFactory({ ...mode, contract: 1, kind: "soft-shard" });
}

/** `I` is the type of the fields that the mode injects: `{ input: FileTriplet }`, or the type of its records. */
export function defineInputMode<I>() {
  return <const S extends OptionSpecs>(
    mode: Described<InputDefinition, S>,
  ): ModeFactory<InputDefinition<S>, InputModeData<I>> => createFactory({ ...mode, contract: 1, kind: "input" });
}

/** `O` is the type of the fields that the mode injects: `{ output: OutputFile }`. */
export function defineOutputMode<O>() {
  return <const S extends OptionSpecs>(
    mode: Described<OutputDefinition, S>,
  ): ModeFactory<OutputDefinition<S>, OutputModeData<O>> => createFactory({ ...mode, contract: 1, kind: "output" });
}

export function defineFinishCheck<const S extends OptionSpecs>(
  mode: Described<FinishCheckDefinition, S>,
): ModeFactory<FinishCheckDefinition<S>, ModeData<"finish-check">> {
  return createFactory({ ...mode, contract: 1, kind: "finish-check" });
}

export function defineBackbone<const S extends OptionSpecs>(
  backbone: Omit<WorkerBackbone<S>, "contract">,
): WorkerBackbone<S>;
export function defineBackbone<const S extends OptionSpecs>(
  backbone: Omit<FleetBackbone<S>, "contract">,
): FleetBackbone<S>;
export function defineBackbone(backbone: object): object {
  return { ...backbone, contract: 2 };
}

/** The definition of a mode written in code; undefined for other values. */
export function modeDefinitionOf(value: unknown): ModeDefinition | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Record<symbol, ModeDefinition | undefined>)[modeBrand];
}

export type { OptionSpec };
