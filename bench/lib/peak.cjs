// Loaded into a process whose memory is measured: at its end it writes its peak, threads included, to BENCH_PEAK_FILE.
// VmHWM begins at exec; maxRSS, which must do elsewhere than on Linux, may begin with what the parent had.
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
