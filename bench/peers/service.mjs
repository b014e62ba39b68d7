// A service on loopback. `once`: every twentieth request is answered 429 the first time. `limit`: more than 100 requests a
// second are answered 429, with the time to the next free one. GET /stats: what it has counted.
import { createServer } from "node:http";

const [kind] = process.argv.slice(2);
const LATENCY_MS = 20;
const WAIT_MS = 1000;
const PER_SECOND = 100;
const BURST = 10;

let tokens = BURST;
let atMs = performance.now();
let accepted = 0;
let refused = 0;
let firstMs;
let lastMs = 0;
const refusedOnce = new Set();

const waits = {
  once(url) {
    const number = Number(url.slice(1));
    if (number % 20 !== 7 || refusedOnce.has(number)) return 0;
    refusedOnce.add(number);
    return WAIT_MS;
  },
  limit() {
    const now = performance.now();
    tokens = Math.min(BURST, tokens + ((now - atMs) * PER_SECOND) / 1000);
    atMs = now;
    if (tokens < 1) return Math.ceil(((1 - tokens) * 1000) / PER_SECOND);
    tokens--;
    return 0;
  },
};

const server = createServer(({ url }, response) => {
  if (url === "/stats") return response.end(JSON.stringify({ accepted, refused, ms: lastMs - (firstMs ?? 0) }));
  firstMs ??= performance.now();
  const wait = waits[kind](url);
  if (wait > 0) {
    refused++;
    return response.writeHead(429, { "retry-after-ms": String(wait) }).end();
  }
  accepted++;
  lastMs = performance.now();
  setTimeout(() => response.end("ok"), LATENCY_MS);
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
// The bench that has started it is gone.
process.stdin.on("end", () => process.exit()).resume();
