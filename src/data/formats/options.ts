import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import type { OptionSpec, OptionSpecs } from "../../base/option-spec.js";

/**
 * The options of a format, with their defaults. Values may be texts, as a command line has them.
 * @throws KagurazakaError `bad-value` for an option that there is not, or a value that it cannot have
 */
export function formatOptions(
  specs: OptionSpecs,
  given: Readonly<Record<string, unknown>> = {},
  where = "options",
): Record<string, unknown> {
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(specs).map(([name, { default: value }]) => [name, value]),
  );
  for (const [written, value] of Object.entries(given)) {
    const name = Object.keys(specs).find((one) => fold(one) === fold(written));
    if (name === undefined) {
      const known = Object.keys(specs);
      throw new KagurazakaError("bad-value", `the format has no option "${written}".${didYouMean(written, known)}`, {
        where,
        hint: known.length === 0 ? "It has none." : `It has: ${known.join(", ")}.`,
      });
    }
    values[name] = read(name, specs[name]!, value, where);
  }
  return values;
}

const fold = (name: string): string => name.toLowerCase().replace(/[-_]/g, "");

function read(name: string, spec: OptionSpec, value: unknown, where: string): unknown {
  const bad = (wanted: string): KagurazakaError =>
    new KagurazakaError("bad-value", `${name} must be ${wanted}, not ${JSON.stringify(value)}`, { where });
  if (spec.nullable && (value === null || value === "null")) return null;
  if (spec.type === "boolean") {
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    throw bad("true or false");
  }
  if (spec.type === "integer") {
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= (spec.min ?? Number.NEGATIVE_INFINITY)) return number;
    throw bad(`an integer${spec.min === undefined ? "" : ` of at least ${spec.min}`}`);
  }
  if (spec.type === "strings") return typeof value === "string" ? value.split(",") : value;
  if (typeof value !== "string") throw bad("a text");
  if (spec.choices && !spec.choices.includes(value)) throw bad(`one of ${spec.choices.join(", ")}`);
  return value.replaceAll("\\t", "\t");
}
