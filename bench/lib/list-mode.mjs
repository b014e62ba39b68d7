// node list-mode.mjs MODE FIELD FILE [FIELDS]: lists the items of an input mode as the planner does, and drops them.
import { devNull } from "node:os";
import { loadBuiltin } from "../../dist/src/builtins.js";

const [name, field, file, said = "{}"] = process.argv.slice(2);
const { definition } = await loadBuiltin("modes", name);
const defaults = Object.entries(definition.fields).map(([known, spec]) => [known, spec.default]);
const fields = { ...Object.fromEntries(defaults), ...JSON.parse(said) };
const env = { inputRoot: process.cwd(), root: 0, leaveOut: [], signal: new AbortController().signal, warn: () => {} };

async function list(source) {
  let count = 0;
  for await (const items of definition.list({ ...fields, [field]: source }, env)) count += items.length;
  return count;
}

// Loads the mode's reader before the clock starts: the other sides have loaded theirs by then.
await list(devNull);
const started = performance.now();
const count = await list(file);
console.log(JSON.stringify({ count, elapsedMs: performance.now() - started }));
