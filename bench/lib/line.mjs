/**
 * One line of the table. `ratio` is ours over theirs, whatever the unit; `atLeast` or `atMost` is the goal of DESIGN §9
 * for it, and a line without either is there to explain another.
 * @param {{ what: string, against: string, ours: number, theirs: number, format: (value: number) => string,
 *   atLeast?: number, atMost?: number }} line
 */
export function createLine({ what, against, ours, theirs, format, atLeast, atMost }) {
  const ratio = ours / theirs;
  const met = atLeast !== undefined ? ratio >= atLeast : atMost !== undefined ? ratio <= atMost : undefined;
  return {
    what,
    against,
    ours: format(ours),
    theirs: format(theirs),
    ratio: Number.isFinite(ratio) ? `${ratio.toFixed(ratio < 10 ? 2 : 1)}×` : "–",
    target: atLeast !== undefined ? `≥ ${atLeast}×` : atMost !== undefined ? `≤ ${atMost}×` : "–",
    met: met === undefined ? "–" : met ? "yes" : "no",
  };
}
