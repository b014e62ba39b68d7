import { type JsonlRecord, KagurazakaError, nameOfSource, stringifyJson } from "../src/kit.js";

/** A JSON object, not an array and not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A line that is JSON but not of the form a mode wants; `must` completes "the line …". */
export function badRecord(source: string, { value, line }: JsonlRecord, must: string): KagurazakaError {
  const where = `${nameOfSource(source)}:${line}`;
  const begins = (stringifyJson(value) ?? "").slice(0, 80);
  return new KagurazakaError("generate-tasks", `${where}: the line ${must}`, { where, hint: `It begins ${begins}` });
}
