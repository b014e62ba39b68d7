/** What is wrong with a text that is not well-formed: UTF-8 cannot say half of a surrogate pair, and would have U+FFFD for it. */
export function loneSurrogate(text: string): string {
  let at = 0;
  // A pair is one code point; a half is one, too.
  for (let code = 0; at < text.length; at += code > 0xffff ? 2 : 1) {
    code = text.codePointAt(at)!;
    if (code >= 0xd800 && code <= 0xdfff) break;
  }
  const half = text.charCodeAt(at).toString(16);
  return `a text with a lone surrogate, \\u${half} at index ${at}: it was cut inside a character`;
}

/** Why no column, and no field of one, can have a name. */
export function nameFlaw(name: string): string | undefined {
  if (name === "__proto__") return 'no column can be named "__proto__"';
  return name.isWellFormed() ? undefined : `the name of a column is ${loneSurrogate(name)}`;
}
