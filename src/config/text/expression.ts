/** `a/${b.c}/${oc.env:X,${d}}` in parts. A reference's inside is parts again, because references nest. */
export type Part = string | { readonly inside: readonly Part[] };

export const hasReference = (text: string): boolean => text.includes("${");

/** The text as an expression that means just this text. */
export const asLiteral = (text: string): string =>
  text.replace(/(\\*)\$\{/g, (_, slashes: string) => `${slashes}${slashes}\\\${`);

/** @throws Error whose message says what is wrong with the text */
export function parseExpression(text: string): readonly Part[] {
  const { parts, end } = readParts(text, 0, false, 0);
  if (end !== text.length) throw new Error("has a stray }");
  return parts;
}

const MAX_NESTING = 50;

function readParts(text: string, start: number, inside: boolean, depth: number): { parts: Part[]; end: number } {
  if (depth > MAX_NESTING) throw new Error("nests ${…} too deeply");
  const parts: Part[] = [];
  let literal = "";
  let i = start;
  while (i < text.length) {
    const slashes = /^\\+(?=\$\{)/.exec(text.slice(i, i + 64))?.[0].length ?? 0;
    if (slashes > 0) {
      // Pairs of backslashes are backslashes; an odd one makes the reference that follows plain text.
      literal += "\\".repeat(Math.floor(slashes / 2));
      i += slashes;
      if (slashes % 2 === 1) {
        literal += "${";
        i += 2;
        continue;
      }
    }
    if (text.startsWith("${", i)) {
      const inner = readParts(text, i + 2, true, depth + 1);
      if (text[inner.end] !== "}") throw new Error("has a ${ that is never closed");
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push({ inside: inner.parts });
      i = inner.end + 1;
      continue;
    }
    if (inside && text[i] === "}") break;
    literal += text[i];
    i++;
  }
  if (literal !== "") parts.push(literal);
  return { parts, end: i };
}

/** A reference's inside: a path, or a resolver with its arguments (`oc.env:NAME,default`). */
interface Reference {
  readonly resolver: string | undefined;
  readonly args: readonly (readonly Part[])[];
}

export function parseReference(inside: readonly Part[]): Reference {
  const first = inside[0];
  const named = typeof first === "string" ? /^\s*([A-Za-z_][\w.]*)\s*:/.exec(first) : null;
  if (!named) return { resolver: undefined, args: [inside] };
  const args: Part[][] = [[]];
  const rest = [(first as string).slice(named[0].length), ...inside.slice(1)];
  for (const part of rest) {
    if (typeof part !== "string" || args.length > 1) {
      args.at(-1)!.push(part);
      continue;
    }
    const comma = part.indexOf(",");
    args.at(-1)!.push(comma < 0 ? part : part.slice(0, comma));
    if (comma >= 0) args.push([part.slice(comma + 1).trimStart()]);
  }
  // An empty text beside a reference would make it part of a text, and cost it its type.
  return { resolver: named[1]!, args: args.map((arg) => arg.filter((part) => part !== "")) };
}
