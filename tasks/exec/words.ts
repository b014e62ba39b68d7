/**
 * A word of the command: literal text and placeholders in turn. What stands in braces and is no name (`awk '{print $1}'`,
 * `jq '{a: 1}'`) is a placeholder only where a record has a field of that name: `{First Name}`. Doubled braces are text:
 * `{{stem}}` is the text `{stem}`.
 */
export interface Word {
  /** As it was written. */
  readonly text: string;
  readonly parts: readonly (string | Placeholder)[];
}

interface Placeholder {
  /** The text between the braces; empty for `{}`. */
  readonly name: string;
  /** Whether it is one in every item. */
  readonly isSure: boolean;
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
    if (single !== undefined) {
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push({ name: single, isSure: NAME.test(single) });
    } else {
      literal += doubled !== undefined && NAME.test(doubled) ? `{${doubled}}` : whole;
    }
  }
  literal += text.slice(from);
  if (literal !== "") parts.push(literal);
  return { text, parts };
}

/**
 * One word, whatever characters the values have: nothing is split, quoted or parsed again.
 * @param field the value of a record's field that may not be one: undefined leaves the braces as they are
 */
export function fillWord(
  { parts }: Word,
  value: (name: string) => string,
  field: (name: string) => string | undefined = () => undefined,
): string {
  const fill = (part: string | Placeholder): string => {
    if (typeof part === "string") return part;
    return part.isSure ? value(part.name) : (field(part.name) ?? `{${part.name}}`);
  };
  return parts.length === 1 ? fill(parts[0]!) : parts.map(fill).join("");
}

/** The sure placeholders. */
export const namesIn = ({ parts }: Word): string[] =>
  parts.flatMap((part) => (typeof part === "string" || !part.isSure ? [] : [part.name]));

export const hasUnsure = ({ parts }: Word): boolean => parts.some((part) => typeof part !== "string" && !part.isSure);

/** Whether what the command does depends on the item. */
export const namesItem = (words: readonly Word[]): boolean =>
  words.some((word) => namesIn(word).some((name) => name !== "attempt" && name !== "tmp"));
