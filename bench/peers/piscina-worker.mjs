function noOp(_item) {}

/** What the threads of piscina-pool.mjs run: nothing, for each item of an array. */
export default function run(items) {
  for (const item of items) noOp(item);
}
