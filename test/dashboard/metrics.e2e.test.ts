import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { serveBuilt } from "./built.js";
import { node, report, run, ScriptedFleet } from "./fleet.js";

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const reason = hasPromtool ? "" : " (skipped: no promtool in PATH; Debian's package prometheus has it)";

// The format is read back by a strict parser in metrics.test.ts.
test.skipIf(!hasPromtool)(
  `promtool accepts /metrics, and has nothing to say about names and units${reason}`,
  async () => {
    const fleet = new ScriptedFleet();
    const hostile = 'x"} 1\nkagurazaka_nodes 99\n# HELP "\\ Ω';
    const ended = run(hostile, { task: hostile, state: "ended", report: report({ exitCode: 4, retries: Number.NaN }) });
    fleet.runList = [run("r1"), ended, run("r2", { report: undefined, reportAgeMs: undefined })];
    fleet.nodeList = [node("n1"), node(hostile, { host: hostile, task: hostile, leaving: true })];
    await using dashboard = await serveBuilt(fleet, { port: 0 });
    const answer = await fetch(`${dashboard.url}metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: await answer.text(),
      encoding: "utf8",
    });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
    const broken = spawnSync("promtool", ["check", "metrics"], {
      input: "# TYPE a gauge\na{b=1} 2\n",
      encoding: "utf8",
    });
    expect(broken.status, "promtool refuses what is broken").not.toBe(0);
  },
);
