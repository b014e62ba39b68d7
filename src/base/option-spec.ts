/**
 * The declaration of values that a user may set: flags of the tool and of backbones, `static options` of a task, fields of a
 * mode. Only types and identity functions; parsing is in config/.
 */
export type OptionType =
  | "string"
  | "boolean"
  | "integer"
  | "number"
  | "duration" // "500ms", "60s", "30m", never a number alone but 0; resolves to milliseconds
  | "size" // "64KB", "2GiB", a number alone = bytes; resolves to bytes
  | "strings" // a list of texts
  | "integers" // one integer or a list of them
  | "map" // texts by the user's own keys
  | "json"; // any YAML value

export interface OptionSpec {
  readonly type: OptionType;
  /** What an option that is not set resolves to, else `undefined`. Of a duration or a size also the text: "30s". */
  readonly default?: unknown;
  /** Leaving it out is an error. */
  readonly required?: true;
  readonly help?: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
  /** Shown in help in place of the type, e.g. `N|50%|auto`. */
  readonly placeholder?: string;
  /** Of what the value resolves to: milliseconds, bytes. */
  readonly min?: number;
  readonly max?: number;
  /** For a size that people may think of in megabytes (1e6): a number alone is refused, and the message names both readings. */
  readonly plainUnit?: number;
  /** The empty text is a mistake: `--only "$UNSET"`. */
  readonly notEmpty?: true;
  /** The value is shown and kept as `***`, unless all of it is `${…}`. */
  readonly secret?: boolean;
  /** Null is allowed, and switches the mode's field off. */
  readonly nullable?: boolean;
  /** Replaces the parser of the type. Throws an Error whose message completes "… must be". */
  readonly parse?: (text: string) => unknown;
}

export type OptionSpecs = { readonly [name: string]: OptionSpec };

interface ValueOf {
  string: string;
  boolean: boolean;
  integer: number;
  number: number;
  duration: number;
  size: number;
  strings: readonly string[];
  integers: number | readonly number[];
  map: Readonly<Record<string, string>>;
  json: unknown;
}

type OneValue<S extends OptionSpec> = S extends { choices: readonly (infer C)[] } ? C : ValueOf[S["type"]];

/** The type of the values: `{ n: number }` for `{ n: { type: "integer", default: 1 } }`; with neither default nor required, `n` may be undefined. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: OneValue<S[K]> | Unset<S[K]> | (S[K] extends { nullable: true } ? null : never);
};

type Unset<S extends OptionSpec> = S extends { default: infer D }
  ? [D] extends [null | undefined]
    ? D
    : never
  : S extends { required: true }
    ? never
    : undefined;

/** Identity with inference: declares options so that `OptionValues<typeof options>` knows their types. */
export function defineOptions<const S extends OptionSpecs>(options: S): S {
  return options;
}
