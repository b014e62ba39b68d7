export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Measures several things side by side, A B C A B C …, so that a machine that slows down slows all of them.
 * @param {number} runs
 * @param {Record<string, () => Promise<number>>} sides
 * @returns {Promise<Record<string, number>>} the median of each
 */
export async function interleave(runs, sides) {
  const figures = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const [name, measure] of Object.entries(sides)) figures[name].push(await measure());
  }
  return Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, median(values)]));
}
