/** Texts that stand for numbers. Each answers `undefined` for a text that is none. */

interface ReadNumber {
  readonly value: number;
  /** Set where the spelling is YAML 1.1's or easily misread. */
  readonly note?: string;
}

export function parseInteger(text: string): ReadNumber | undefined {
  const bare = text.trim();
  const value = (n: number, note?: string): ReadNumber | undefined =>
    Number.isSafeInteger(n) ? (note === undefined ? { value: n } : { value: n, note }) : undefined;
  if (/^[-+]?\d+$/.test(bare)) {
    const n = Number(bare);
    return /^[-+]?0\d/.test(bare)
      ? value(n, `"${bare}" is read as ${n}, not as an octal number of YAML 1.1`)
      : value(n);
  }
  if (/^0x[\da-f]+$/i.test(bare)) return value(Number(bare));
  if (/^0o[0-7]+$/i.test(bare) || /^0b[01]+$/i.test(bare))
    return value(Number(bare), `"${bare}" is read as ${Number(bare)}`);
  if (/^[-+]?\d[\d_]*$/.test(bare)) {
    const n = Number(bare.replaceAll("_", ""));
    return value(n, `"${bare}" is YAML 1.1 and read as ${n}`);
  }
  return undefined;
}

export function parseNumber(text: string): ReadNumber | undefined {
  const bare = text.trim();
  if (!/^[-+]?(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?$/i.test(bare)) return undefined;
  const value = Number(bare);
  return Number.isFinite(value) ? { value } : undefined;
}

const msOf: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `60s`, `1h30m`; a plain number is seconds. In milliseconds. */
export function parseDuration(text: string): number | undefined {
  const bare = text.trim().toLowerCase();
  const plain = /^\d/.test(bare) || bare.startsWith(".") ? parseNumber(bare) : undefined;
  if (plain) return plain.value * 1000;
  if (!/^(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/.test(bare)) return undefined;
  let total = 0;
  for (const [, amount, unit] of bare.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g))
    total += Number(amount) * msOf[unit!]!;
  return total;
}

const powers = ["", "k", "m", "g", "t", "p"];

/** `64KB` = 64,000, `2GiB` = 2 × 1024³, `10k` = 10,000; a plain number counts `plainUnit` bytes. */
export function parseSize(text: string, plainUnit = 1): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)(b?)$/i.exec(text.trim());
  if (!match || (match[3] && !match[2])) return undefined;
  const unit = match[2] || match[4] ? (match[3] ? 1024 : 1000) ** powers.indexOf(match[2]!.toLowerCase()) : plainUnit;
  const bytes = Number(match[1]) * unit;
  const whole = Math.round(bytes);
  return Number.isSafeInteger(whole) ? whole : undefined;
}
