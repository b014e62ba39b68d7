import { describe, expect, test } from "vitest";
import { HostGates, type Visitor } from "../../../tasks/fetch/host-gates.js";

const visitor = (signal = new AbortController().signal): Visitor => ({ signal, onPaused: () => undefined });
const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

describe.concurrent("the gate of a host", () => {
  test("lets in first who came first, and each leaver one more", async () => {
    const gates = new HostGates({ atOnce: 2, perSecond: undefined });
    const inside: number[] = [];
    const leaves: (() => void)[] = [];
    for (let i = 0; i < 5; i++)
      void gates.enter("h", visitor()).then((leave) => {
        inside.push(i);
        leaves.push(leave);
      });
    await soon();
    expect(inside).toEqual([0, 1]);
    leaves[0]!();
    leaves[0]!();
    await soon();
    expect(inside, "leaving twice is leaving once").toEqual([0, 1, 2]);
    leaves[1]!();
    leaves[2]!();
    await soon();
    expect(inside).toEqual([0, 1, 2, 3, 4]);
  });

  test("lets visitors pass one that gave up, in line or before the start", async () => {
    const gates = new HostGates({ atOnce: 1, perSecond: undefined });
    const leave = await gates.enter("h", visitor());
    const gone = new AbortController();
    const waiting = gates.enter("h", visitor(gone.signal));
    const behind = gates.enter("h", visitor());
    gone.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    leave();
    (await behind)();

    gates.pause("h", 60_000);
    const atDoor = new AbortController();
    const inPause = gates.enter("h", visitor(atDoor.signal));
    atDoor.abort();
    await expect(inPause).rejects.toThrow();
    const sent = gates.enter("h", { ...visitor(), onPaused: (host, ms) => new Error(`${host} ${ms > 59_000}`) });
    await expect(sent).rejects.toThrow("h true");
    await expect(gates.enter("h", visitor(AbortSignal.abort(new Error("before")))), "before it came").rejects.toThrow(
      "before",
    );
    (await gates.enter("other", visitor()))();
  });

  test("sends those in line away when a pause begins", async () => {
    const gates = new HostGates({ atOnce: 1, perSecond: undefined });
    const leave = await gates.enter("h", visitor());
    const sentAway = { ...visitor(), onPaused: () => new Error("later") };
    const line = Promise.allSettled([gates.enter("h", sentAway), gates.enter("h", sentAway)]);
    gates.pause("h", 60_000);
    leave();
    expect((await line).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  test("keeps its distance even without a request inside", async () => {
    const gates = new HostGates({ atOnce: 9, perSecond: 20 });
    const start = performance.now();
    for (let i = 0; i < 4; i++) (await gates.enter("h", visitor()))();
    expect(performance.now() - start).toBeGreaterThan(140);
  });
});
