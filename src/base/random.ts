import { hashText } from "./hash.js";

/** sfc32 (PractRand's small fast counter, 128 bits of state), seeded by a text: the same numbers on every machine. */
export function createRandom(seed: string): () => number {
  let [a, b, c, d] = hashText(seed) as unknown as [number, number, number, number];
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}
