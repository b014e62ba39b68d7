import { readBlocks } from "./read-segment.js";

/** Lines that are not as they were written. They count as not written, and are named. */
export interface Damage {
  readonly count: number;
  /** The first ones. */
  readonly places: readonly LinePlace[];
}

interface LinePlace {
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

interface FoundDamage {
  count: number;
  readonly offsets: { readonly path: string; readonly offset: number }[];
}

const NAMED = 5;

export const noDamage = (): FoundDamage => ({ count: 0, offsets: [] });

export function addDamage(found: FoundDamage, path: string, offset: number): void {
  found.count++;
  if (found.offsets.length < NAMED) found.offsets.push({ path, offset });
}

/** Counts the lines before the damaged ones. */
export async function locateDamage({ count, offsets }: FoundDamage): Promise<Damage> {
  const places: LinePlace[] = [];
  for (const { path, offset } of offsets) places.push({ path, line: await lineAt(path, offset) });
  return { count, places };
}

async function lineAt(path: string, offset: number): Promise<number> {
  let line = 1;
  for await (const block of readBlocks(path)) {
    const end = Math.min(block.end, offset - block.offset);
    for (let at = block.bytes.indexOf(0x0a); at >= 0 && at < end; at = block.bytes.indexOf(0x0a, at + 1)) line++;
    if (block.offset + block.end > offset) break;
  }
  return line;
}

/** For messages: `…/r1.jsonl:17, …/r1.jsonl:20 and 3 more`. */
export function describeDamage({ count, places }: Damage, show: (path: string) => string): string {
  const named = places.map(({ path, line }) => `${show(path)}:${line}`).join(", ");
  return count > places.length ? `${named} and ${count - places.length} more` : named;
}
