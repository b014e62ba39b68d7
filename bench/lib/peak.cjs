// Preloaded (node --require): at exit, writes the peak memory of the process, with all threads, to BENCH_PEAK_FILE.
// VmHWM starts at exec. maxRSS, used elsewhere than on Linux, may include the parent's memory.
const { readFileSync, writeFileSync } = require("node:fs");
const { isMainThread } = require("node:worker_threads");

if (isMainThread && process.env.BENCH_PEAK_FILE) {
  process.on("exit", () => {
    let kilobytes = process.resourceUsage().maxRSS;
    try {
      kilobytes = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
    } catch {}
    writeFileSync(process.env.BENCH_PEAK_FILE, String(kilobytes * 1024));
  });
}
