import { BadLine } from "./line-rows.js";

/** What is wrong, and what to do. */
export function whyNotJson(text: string, error: Error): [what: string, hint?: string] {
  if (error instanceof RangeError) return [error.message];
  if (/[:[,\s](?:NaN|-?Infinity)\s*(?:[,}\]]|$)/.test(text))
    return [
      "JSON cannot represent NaN or Infinity",
      "Write null or a text for them; Python writes JSON with allow_nan=False.",
    ];
  return [`not JSON: ${error.message}`, `It begins ${JSON.stringify(text.slice(0, 60))}.`];
}

export const notObject = (value: unknown): string =>
  `not an object but ${Array.isArray(value) ? "an array" : JSON.stringify(value)?.slice(0, 60)}`;

/** Of a value of `parseJson`, which is not nested too deeply. @throws BadLine for a key that would change what an object is */
export function checkKeys(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw new BadLine('a key is "__proto__"', "Rename it in the file.");
  for (const inner of Object.values(value)) checkKeys(inner);
}
