/** Keeps a core busy without allocations and system calls: a number of rounds of 1,000 steps of xorshift32. */
export function burn(rounds) {
  let x = 2463534242;
  for (let i = 0; i < rounds * 1000; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/** 1 to 100 ms, spread over items the same way every time. */
export const burnMsOf = (i) => 1 + ((Math.imul(i + 1, 0x9e3779b1) >>> 0) % 100);

/** How many rounds this machine does in a millisecond. */
export function calibrate() {
  burn(2000);
  const figures = [];
  for (let run = 0; run < 9; run++) {
    const started = performance.now();
    burn(4000);
    figures.push(4000 / (performance.now() - started));
  }
  return Math.round(figures.sort((a, b) => a - b)[4]);
}
