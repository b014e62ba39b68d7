import { plainInteger } from "../batch/batch.js";
import { type DTypeParts, type TimeUnit, unitsPerSecond } from "./dtypes.js";

/** Dates, times and decimals from what people write for them; undefined for what is none. */

const DAY_MS = 86_400_000;
const ISO = /^([+-]?\d{4,6}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?)?$/;

export function toDate(value: unknown, unit: "day" | "ms"): Date | undefined {
  // A date in JSON is the text that JavaScript makes of it, midnight in UTC.
  const date = value instanceof Date ? value : typeof value === "string" ? toTimestamp(value, "ms") : undefined;
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) return undefined;
  const ms = date.getTime();
  return unit === "day" && ms % DAY_MS !== 0 ? new Date(Math.floor(ms / DAY_MS) * DAY_MS) : date;
}

/** A Date where the milliseconds are exact, else the count of the unit since 1970. */
export function timestampOf(units: bigint, unit: TimeUnit): Date | bigint {
  const perMs = BigInt(unitsPerSecond[unit]) / 1000n;
  if (perMs === 0n) return dateOr(units * 1000n, units);
  return units % perMs === 0n ? dateOr(units / perMs, units) : units;
}

/** Dates reach 100 million days from 1970. */
function dateOr(ms: bigint, units: bigint): Date | bigint {
  return ms >= -8_640_000_000_000_000n && ms <= 8_640_000_000_000_000n ? new Date(Number(ms)) : units;
}

/** The inverse of `timestampOf`. */
export function unitsOf(timestamp: Date | bigint, unit: TimeUnit): bigint {
  if (typeof timestamp === "bigint") return timestamp;
  const ms = BigInt(timestamp.getTime());
  return unit === "s" ? floored(ms, 1000n) : ms * (BigInt(unitsPerSecond[unit]) / 1000n);
}

/** Text without a zone is UTC. */
export function toTimestamp(value: unknown, unit: TimeUnit): Date | bigint | undefined {
  if (typeof value === "bigint") return timestampOf(value, unit);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : timestampOf(unitsOf(value, unit), unit);
  if (typeof value === "number") return Number.isSafeInteger(value) ? timestampOf(BigInt(value), unit) : undefined;
  const parts = typeof value === "string" ? ISO.exec(value) : null;
  if (!parts) return undefined;
  const [, day, time = "00:00", digits = "", zone = "Z"] = parts;
  if (!isDay(day!)) return undefined;
  const ms = Date.parse(`${day}T${time}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`);
  if (Number.isNaN(ms)) return undefined;
  const nanos = BigInt(ms) * 1_000_000n + BigInt(digits.padEnd(9, "0"));
  return timestampOf(floored(nanos, 1_000_000_000n / BigInt(unitsPerSecond[unit])), unit);
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(text: string): boolean {
  const day = Number(text.slice(-2));
  return day <= 28 || new Date(Date.parse(`${text}T00:00Z`)).getUTCDate() === day;
}

/**
 * ISO 8601 with as many digits as the unit has, and `Z` where the column has a zone: text without one has none for others too.
 * Undefined for a year that no such text can have.
 */
export function timestampText(timestamp: Date | bigint, unit: TimeUnit, zone: string | undefined): string | undefined {
  const end = zone === undefined ? "" : "Z";
  if (typeof timestamp !== "bigint") {
    const text = timestamp.toISOString();
    return unit === "s"
      ? `${text.slice(0, -5)}${end}`
      : `${text.slice(0, -1)}${unit === "ms" ? "" : unit === "us" ? "000" : "000000"}${end}`;
  }
  const perSecond = BigInt(unitsPerSecond[unit]);
  const seconds = floored(timestamp, perSecond);
  const date = dateOr(seconds * 1000n, timestamp);
  if (typeof date === "bigint") return undefined;
  const digits = perSecond === 1n ? "" : `.${String(perSecond + timestamp - seconds * perSecond).slice(1)}`;
  return `${date.toISOString().slice(0, -5)}${digits}${end}`;
}

/** `2026-11-30`, and the time of a date that has one. */
export const dateText = (date: Date): string => date.toISOString().replace("T00:00:00.000Z", "");

/** Down, also before 1970. */
const floored = (count: bigint, by: bigint): bigint => (count < 0n && count % by !== 0n ? count / by - 1n : count / by);

const CLOCK = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/;

/** Units since midnight. */
export function toTimeOfDay(value: unknown, unit: TimeUnit): number | undefined {
  const perSecond = unitsPerSecond[unit];
  const count = typeof value === "bigint" ? Number(value) : value;
  if (typeof count === "number")
    return Number.isInteger(count) && count >= 0 && count < 86_400 * perSecond ? count : undefined;
  const parts = typeof value === "string" ? CLOCK.exec(value) : null;
  if (!parts) return undefined;
  const [, hours, minutes, seconds = "0", digits = ""] = parts;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  // Digits, not a fraction: 0.000007 seconds are 6.999… microseconds.
  const below = Number(digits.padEnd(9, "0").slice(0, String(perSecond).length - 1));
  return whole * perSecond + below;
}

export function toDuration(value: unknown): number | bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  return typeof value === "bigint" && BigInt.asIntN(64, value) === value ? plainInteger(value) : undefined;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/;

/** A text with as many digits behind the point as the scale says; of a negative scale, an integer that ends with so many zeros. Digits are never dropped. */
export function toDecimal(value: unknown, { precision, scale }: DTypeParts & { kind: "decimal" }): string | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") return undefined;
  const parts = DECIMAL.exec(String(value));
  if (!parts || (parts[2] === "" && (parts[3] ?? "") === "")) return undefined;
  const fraction = (parts[3] ?? "").replace(/0+$/, "");
  if (fraction.length > Math.max(0, scale)) return undefined;
  const whole = parts[2]!.replace(/^0+/, "");
  if (whole.length > precision - scale) return undefined;
  if (scale < 0 && whole !== "" && !whole.endsWith("0".repeat(-scale))) return undefined;
  const text = `${whole === "" ? "0" : whole}${scale > 0 ? `.${fraction.padEnd(scale, "0")}` : ""}`;
  return parts[1] === "-" && /[1-9]/.test(text) ? `-${text}` : text;
}

/** The unscaled integer of a decimal: "-1.50" of scale 2 is -150. */
export function unscaled(text: string, scale: number): bigint {
  const [whole, fraction = ""] = text.replace("-", "").split(".");
  const digits = BigInt(whole! + fraction.padEnd(Math.max(0, scale), "0"));
  const count = scale < 0 ? digits / 10n ** BigInt(-scale) : digits;
  return text.startsWith("-") ? -count : count;
}

/** The inverse of `unscaled`. */
export function decimalText(count: bigint, scale: number): string {
  if (scale <= 0) return String(count * 10n ** BigInt(-scale));
  const digits = String(count < 0n ? -count : count).padStart(scale + 1, "0");
  return `${count < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
