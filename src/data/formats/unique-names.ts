/** A row has one value under a name. @param where of the columns, or "column s" for the fields of one @throws Error */
export function checkUnique(names: readonly string[], where?: string): void {
  if (new Set(names).size === names.length) return;
  const repeated = names.findIndex((name, i) => names.indexOf(name) !== i);
  const name = JSON.stringify(names[repeated]);
  const [first, second] = [names.indexOf(names[repeated]!) + 1, repeated + 1];
  const what = where === undefined ? `columns ${first} and ${second}` : `fields ${first} and ${second} of ${where}`;
  throw new Error(`${what} are both named ${name}: rename one of them`);
}
