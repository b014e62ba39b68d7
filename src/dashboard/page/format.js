/** Numbers as people read them; the same forms as in the terminal. */

const grouped = new Intl.NumberFormat("en-US");

export const count = (value) => grouped.format(value);

/** `950`, `12.3k`, `1.20M`. */
export function shortCount(value) {
  if (value < 10_000) return count(Math.round(value));
  if (value < 1_000_000) return `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)}k`;
  return `${(value / 1_000_000).toFixed(2)}M`;
}

export function rate(perSecond) {
  return `${perSecond > 0 && perSecond < 10 ? perSecond.toFixed(2) : shortCount(perSecond)}/s`;
}

/** `0.8 s`, `12 s`, `2 min 05 s`, `3 h 07 min`, `2 d 3 h`. */
export function duration(ms) {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (value) => String(value).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${two(Math.floor(seconds % 60))} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${two(minutes % 60)} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let power = 0;
  for (let rest = value; rest >= 1024 && power < units.length - 1; rest /= 1024) power++;
  const scaled = value / 1024 ** power;
  return `${scaled < 10 && power > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[power]}`;
}

/** `14:03:09`, by the clock of the machine that shows it. */
export const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;
