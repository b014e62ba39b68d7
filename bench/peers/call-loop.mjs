// The loop people write by hand: so many requests at once, each waits by itself when it is answered 429.
const [port, items, concurrency] = process.argv.slice(2).map(Number);
const started = performance.now();
let next = 0;

async function call(number) {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/${number}`);
    await response.text();
    if (response.status !== 429) return;
    await new Promise((resolve) => setTimeout(resolve, Number(response.headers.get("retry-after-ms"))));
  }
}

async function lane() {
  while (next < items) await call(next++);
}

await Promise.all(Array.from({ length: concurrency }, lane));
process.stdout.write(`${JSON.stringify({ elapsedMs: performance.now() - started })}\n`);
