import type { SampleItem } from "./sample-task.js";

export const good = (n: number, prefix = "good"): SampleItem[] =>
  Array.from({ length: n }, (_, i) => ({ id: `${prefix}-${i}` }));

export const mixture: readonly SampleItem[] = [
  ...good(20),
  { id: "filtered", act: "filter", message: "nothing in it" },
  { id: "shaky", act: "throw", times: 2 },
  { id: "bad", act: "throw" },
  { id: "hopeless", act: "permanent" },
  { id: "patient", act: "retry-after", ms: 20 },
  { id: "late", act: "wait", ms: 30 },
];

/** Items whose values have every JSON shape; the last one is large. */
export const payloads: readonly SampleItem[] = [
  "ä€😀\u0000\n",
  -0.5,
  true,
  null,
  [],
  {},
  [[1, { a: [] }]],
  { "": { "\u2028": 1 } },
  "x".repeat(2 ** 20),
].map((payload, i) => ({ id: `key ${i} \n "quoted" ü`, payload }));

export const keysOf = (things: readonly ({ id: string } | { key: string })[]): string[] =>
  things.map((thing) => ("id" in thing ? thing.id : thing.key)).sort();
