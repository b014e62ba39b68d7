// node test/dashboard/screenshot.mjs: makes docs/dashboard.png, by the built dashboard over a fleet that is made up.
import { mkdirSync, statSync } from "node:fs";
import { launch } from "puppeteer-core";
import { serveDashboard } from "../../dist/src/dashboard/serve-dashboard.js";

const file = new URL("../../docs/dashboard.png", import.meta.url).pathname;
const MAX_BYTES = 200_000;
const startedMs = Date.now();
const ago = (ms) => new Date(startedMs - ms).toISOString();
const error = (name, message, at) => ({
  name,
  message,
  stack: `${name}: ${message}\n    at Embed.process (${at})\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`,
});

/** A rate that wanders, and falls once while a machine restarts. */
function rateAt(seconds) {
  const wave = 1 + 0.06 * Math.sin(seconds / 19) + 0.04 * Math.sin(seconds / 5.3);
  const warm = Math.min(1, 0.2 + seconds / 120);
  const dip = seconds > 560 && seconds < 640 ? 0.62 : 1;
  return 2140 * wave * warm * dip;
}

let seconds = 0;
let done = 0;
const running = () => ({
  run: "20261129T103154Z-5c1f02",
  task: "EmbedPhotos",
  state: "running",
  coordinator: { host: "kaede", pid: 21874 },
  startedAt: ago(0),
  chunks: { waiting: 24, active: 12 },
  report: {
    counts: {
      total: Math.round(done) + 411_902 + 1873 + 341,
      done: Math.round(done),
      skipped: 411_902,
      filtered: 1873,
      failed: 341,
      cancelled: 0,
    },
    listed: true,
    inFlight: 172,
    waiting: Math.max(0, 2_400_000 - 411_902 - Math.round(done)),
    retries: 1204,
    elapsedMs: seconds * 1000,
    itemsPerSecond: rateAt(seconds),
    failures: [
      {
        class: "Error: Input buffer contains unsupported image format",
        count: 287,
        key: "2019/08/scan_0042.tif",
        error: error("Error", "Input buffer contains unsupported image format", "/srv/tasks/embed-photos.ts:31:18"),
      },
      {
        class: "timeout: the item ran longer than # ms",
        count: 54,
        key: "2021/panorama/full_360.png",
        error: error("KagurazakaError", "the item ran longer than 30000 ms", "/srv/tasks/embed-photos.ts:44:9"),
      },
    ],
    oldest: [
      { key: "2022/raw/DSC_88120.nef", sinceMs: 24_300, node: "momiji-1f3a" },
      { key: "2022/raw/DSC_88131.nef", sinceMs: 11_900, node: "sakura-77c0" },
    ],
  },
  reportAgeMs: 420,
});
const ended = () => ({
  run: "20261129T094410Z-90ab7e",
  task: "Thumbnails",
  state: "ended",
  coordinator: { host: "kaede", pid: 20411 },
  startedAt: ago(4_200_000),
  chunks: { waiting: 0, active: 0 },
  report: {
    counts: { total: 88_240, done: 88_144, skipped: 0, filtered: 96, failed: 0, cancelled: 0 },
    listed: true,
    inFlight: 0,
    waiting: 0,
    retries: 3,
    elapsedMs: 3_100_000,
    itemsPerSecond: 0,
    exitCode: 0,
    failures: [],
    oldest: [],
  },
  reportAgeMs: undefined,
});
const worker = (host, suffix, fields) => ({
  node: `${host}-${suffix}`,
  host,
  version: "0.2.0",
  task: "EmbedPhotos",
  moduleHash: "5be1",
  startedAt: ago(5_400_000),
  backbone: "mp",
  run: "20261129T103154Z-5c1f02",
  leaving: false,
  ageMs: 380,
  running: [],
  ...fields,
});
const control = {
  runs: async () => [running(), ended()],
  nodes: async () => [
    worker("momiji", "1f3a", {
      pid: 4120,
      slots: 64,
      inFlight: 64,
      settled: 512_204,
      itemsPerSecond: 829,
      rssBytes: 6.1e9,
      running: [{ key: "2022/raw/DSC_88120.nef", sinceMs: 24_300 }],
    }),
    worker("sakura", "77c0", {
      pid: 991,
      slots: 64,
      inFlight: 63,
      settled: 498_870,
      itemsPerSecond: 811,
      rssBytes: 5.8e9,
      running: [{ key: "2022/raw/DSC_88131.nef", sinceMs: 11_900 }],
    }),
    worker("ume", "b214", {
      pid: 1877,
      slots: 16,
      inFlight: 11,
      settled: 88_240,
      itemsPerSecond: 12.4,
      rssBytes: 9.2e8,
      task: "Thumbnails",
      run: "20261129T094410Z-90ab7e",
      leaving: true,
    }),
  ],
  cancel: async () => false,
};

// Fifteen minutes go by in seconds: the server takes the time from Date.
const realNow = Date.now;
Date.now = () => startedMs + seconds * 1000;
const dashboard = await serveDashboard({ control, port: 0, allowCancel: true });
for (seconds = 1; seconds <= 880; seconds++) {
  done += rateAt(seconds);
  await fetch(`${dashboard.url}api/state`).then((answer) => answer.arrayBuffer());
}
const browser = await launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1180, height: 900 });
  await page.emulateTimezone("UTC");
  await page.goto(dashboard.url);
  await page.waitForSelector('#connection[data-state="live"]');
  await page.click("summary");
  await page.mouse.click(2, 300);
  mkdirSync(new URL(".", `file://${file}`), { recursive: true });
  await page.screenshot({ path: file, fullPage: true });
} finally {
  await browser.close();
  Date.now = realNow;
  await dashboard[Symbol.asyncDispose]();
}
const { size } = statSync(file);
if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}`);
console.log(`${file}: ${size} bytes`);
