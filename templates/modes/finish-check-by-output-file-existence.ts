import { defineFinishCheck, didYouMean, KagurazakaError, type OutputEntry } from "../../src/kit.js";

/**
 * An item is finished exactly when its output exists, so a deleted output is made again. Where the output is a directory with
 * named files, all of them must exist (a half-filled directory is not finished), or the one that `outputFieldSuffix` names.
 * With `newerThanInput`, an input whose modification time is later than its output's is processed again; equal times count as
 * finished, and of a directory only its own time counts.
 */
export default defineFinishCheck({
  name: "FinishCheckByOutputFileExistence",
  help: "finished when the output exists",
  fields: {
    outputFieldSuffix: { type: "string", nullable: true, default: null, help: "only output_<suffix> counts" },
    minBytes: { type: "size", default: 0, min: 0, help: "a smaller file does not count" },
    newerThanInput: { type: "boolean", default: false, help: "one that is older than its input does not count" },
  },
  rule: ({ outputFieldSuffix, minBytes, newerThanInput }) => ({
    by: "files",
    minBytes,
    newerThanInput,
    select: (outputs) => select(outputs, outputFieldSuffix),
  }),
});

function select(outputs: readonly OutputEntry[], suffix: string | null): readonly OutputEntry[] {
  if (suffix !== null) return [findBySuffix(outputs, suffix)];
  const whole = outputs.find(({ field }) => field === "output");
  if (whole?.type === "file") return [whole];
  const files = outputs.filter(({ type }) => type === "file");
  return files.length > 0 ? files : outputs;
}

function findBySuffix(outputs: readonly OutputEntry[], suffix: string): OutputEntry {
  const found = outputs.find(({ field }) => field === `output_${suffix}`);
  if (found !== undefined) return found;
  const known = outputs.flatMap(({ field }) => (field.startsWith("output_") ? [field.slice("output_".length)] : []));
  throw new KagurazakaError(
    "bad-value",
    `finish_check_mode.output_field_suffix is "${suffix}", but the output mode has no output_${suffix}.${didYouMean(suffix, known)}`,
    { hint: known.length > 0 ? `It has: ${known.join(", ")}.` : "Leave it out: the output mode has one output." },
  );
}
