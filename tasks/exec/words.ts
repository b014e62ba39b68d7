/**
 * A word of the command: literal text and placeholders in turn. Braces that hold no name (`awk '{print $1}'`, `jq '{a: 1}'`)
 * are text; so is the inside of doubled ones: `{{stem}}` is the text `{stem}`.
 */
export interface Word {
  /** As it was written. */
  readonly text: string;
  readonly parts: readonly (string | Placeholder)[];
}

interface Placeholder {
  /** The text between the braces; empty for `{}`. */
  readonly name: string;
}

const BRACES = /\{\{([^{}]*)\}\}|\{([^{}]*)\}/g;
/** Names, GNU parallel's signs, numbers of columns. */
const NAME = /^(?:[\p{L}_][\p{L}\p{N}_.-]*|\.|\/|\/\/|\/\.|#|%|-?\d+)?$/u;

export function parseWord(text: string): Word {
  const parts: (string | Placeholder)[] = [];
  let literal = "";
  let from = 0;
  for (const match of text.matchAll(BRACES)) {
    const [whole, doubled, single] = match;
    literal += text.slice(from, match.index);
    from = match.index + whole.length;
    if (single !== undefined && NAME.test(single)) {
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push({ name: single });
    } else {
      literal += doubled !== undefined && NAME.test(doubled) ? `{${doubled}}` : whole;
    }
  }
  literal += text.slice(from);
  if (literal !== "") parts.push(literal);
  return { text, parts };
}

/** One word, whatever characters the values have: nothing is split, quoted or parsed again. */
export function fillWord({ parts }: Word, value: (name: string) => string): string {
  if (parts.length === 1) return typeof parts[0] === "string" ? parts[0] : value(parts[0]!.name);
  return parts.map((part) => (typeof part === "string" ? part : value(part.name))).join("");
}

export const namesIn = ({ parts }: Word): string[] =>
  parts.flatMap((part) => (typeof part === "string" ? [] : [part.name]));
