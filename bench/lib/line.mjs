/**
 * One line of the table. `ratio` is ours over theirs, in any unit; `atLeast` or `atMost` is its goal in DESIGN §9. A line
 * without a goal explains another line.
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

/** A peer that is not installed. */
export const missingLine = (what, against) => ({
  what,
  against: `${against}: not installed here`,
  ours: "–",
  theirs: "–",
  ratio: "–",
  target: "–",
  met: "–",
});
