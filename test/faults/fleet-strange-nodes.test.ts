import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixture, type Started, until } from "./harness/command.js";
import { FleetUnderTest } from "./harness/fleet.js";

/** The task file, with another text, in the fleet's directory. */
function otherVersion({ dir }: FleetUnderTest): string {
  const path = join(dir, "fleet.ts");
  writeFileSync(path, `${readFileSync(fixture("fleet.ts"), "utf8")}\n// another version\n`);
  return path;
}

const ready = (node: Started): Promise<void> =>
  until("the node waits for runs", () => /waits for runs/.test(node.stderrSoFar), 30_000);

describe.concurrent("nodes that cannot work for a run", () => {
  test("without the task: refused at their start, with the nearest name", async () => {
    await using fleet = await FleetUnderTest.open({ items: 10 });
    const { code, stderr } = await fleet.node({ task: "Page" }).ended;
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/Pages/);
  });

  test("of another task: they leave the run alone", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 30 });
    const other = fleet.node({ task: "Pages" });
    await until("the other node waits", () => /waits for runs of Pages/.test(other.stderrSoFar), 30_000);
    fleet.node();
    await fleet.check(await fleet.coordinator().ended);
    expect(other.stderrSoFar).not.toMatch(/works for run/);
  });

  test("with another version of the task file: they name the file and leave, and the others do the work", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 60 });
    await ready(fleet.node());
    const stale = fleet.node({ taskFile: otherVersion(fleet) });
    await ready(stale);
    const coordinator = fleet.coordinator();
    const says = /the code of Rows differs on this node .*: fleet\.ts differs/;
    await until("it refuses", () => says.test(stale.stderrSoFar), 30_000);
    const last = await coordinator.ended;
    await fleet.check(last);
    expect(last.stderr).toMatch(/left the run: the code of Rows differs/);
    expect(fleet.notes().filter(({ pid }) => pid === stale.pid)).toEqual([]);
  });

  test("with another version, told --allow-code-drift: they work", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Rows", items: 60 });
    const stale = fleet.node({ taskFile: otherVersion(fleet), extra: ["--allow-code-drift"] });
    await fleet.check(await fleet.coordinator().ended);
    expect(fleet.notes().filter(({ pid, what }) => pid === stale.pid && what === "begin").length).toBeGreaterThan(59);
  });

  test("with another output root: they say so, and the others do the work", async () => {
    await using fleet = await FleetUnderTest.open({ task: "Pages", items: 40 });
    await ready(fleet.node());
    const elsewhere = fleet.node({ extra: ["--out", join(fleet.dir, "elsewhere")] });
    await ready(elsewhere);
    const coordinator = fleet.coordinator();
    const says = /is not the directory of the run of Pages/;
    await until("it refuses", () => says.test(elsewhere.stderrSoFar), 40_000);
    await fleet.check(await coordinator.ended);
  });
});

describe.concurrent("items that take their node with them", () => {
  test.each([["thread"], ["process"]])(
    "fail as crash after two nodes, and the others are done (%s)",
    async (isolation) => {
      const env = { FAULTS_KILLERS: "7,53" };
      await using fleet = await FleetUnderTest.open({ task: "Rows", items: 80, env });
      fleet.keepNodes(2, { extra: ["--isolation", isolation] });
      const last = await fleet.coordinator().ended;
      await fleet.check(last, { failed: ["row 7", "row 53"] });
      const codes = fleet.ledger().outcomes.filter(({ status }) => status === "failed");
      expect(codes.map(({ code }) => code)).toEqual(["crash", "crash"]);
      expect(fleet.notes().filter(({ what, key }) => what === "begin" && key === "row 7").length).toBe(2);
    },
    120_000,
  );
});
