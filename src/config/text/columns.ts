const MAX_TERM = 36;
const MIN_TEXT = 24;

/** Rows of a term and what it means. The meaning is wrapped at `width`; a long term has a line of its own. */
export function twoColumns(rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.max(0, ...rows.map(([term]) => term.length).filter((length) => length <= MAX_TERM));
  const margin = " ".repeat(left + 4);
  return rows
    .map(([term, text]) => {
      const lines = wrap(text, Math.max(MIN_TEXT, width - margin.length));
      const head = term.length > left ? `  ${term}\n${margin}` : `  ${term.padEnd(left)}  `;
      return `${head}${lines.join(`\n${margin}`)}`.trimEnd();
    })
    .join("\n");
}

/** Lines of at most `width` characters, where no word is longer. */
export function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (longer.length <= width || lines.at(-1) === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
