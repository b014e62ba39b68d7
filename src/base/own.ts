/**
 * A field of a record that has it itself: a column may be named `constructor` or `toString`, which every object inherits. Records hold
 * no functions and Object.prototype nothing else, so only a function needs a second look.
 */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  const value = record[name];
  return typeof value === "function" && !Object.hasOwn(record, name) ? undefined : value;
}
