import { describe, expect, test, vi } from "vitest";
import { monotonicMs } from "../../../src/base/clock.js";
import type { WireOutcome } from "../../../src/contracts/wire.js";
import { OutcomeBuffer } from "../../../src/runner/worker/outcome-buffer.js";
import { useFakeClock } from "../dispatch/fake-session.js";

useFakeClock();

function create() {
  const sent: { seqs: number[]; rest: number[] }[] = [];
  const buffer = new OutcomeBuffer((plain, rest) => {
    const seqs = [...plain].filter((_, i) => i % 2 === 0);
    sent.push({ seqs, rest: rest.map(({ seq }) => seq) });
  });
  return { buffer, sent };
}
const failed = (seq: number, durationMs = 0): WireOutcome => ({ seq, durationMs, status: "failed" });

describe("outcomes on their way out", () => {
  test("of fast items travel together, at most 5 ms old", async () => {
    const { buffer, sent } = create();
    buffer.addDone(1, 0.1, monotonicMs());
    buffer.add(failed(2), monotonicMs());
    await vi.advanceTimersByTimeAsync(6);
    buffer.addDone(3, 0.1, monotonicMs());
    expect(sent).toEqual([{ seqs: [1, 3], rest: [2] }]);
  });

  test("of a slow item leave at once, with those that wait", () => {
    const { buffer, sent } = create();
    buffer.addDone(1, 0.1, monotonicMs());
    buffer.addDone(2, 0.5, monotonicMs());
    buffer.add(failed(3, 9), monotonicMs());
    expect(sent).toEqual([
      { seqs: [1, 2], rest: [] },
      { seqs: [], rest: [3] },
    ]);
  });

  test("are 512 in a message at most", () => {
    const { buffer, sent } = create();
    const now = monotonicMs();
    for (let seq = 1; seq <= 600; seq++) buffer.addDone(seq, 0, now);
    for (let seq = 1; seq <= 600; seq++) buffer.add(failed(seq), now);
    expect(sent.map(({ seqs, rest }) => [seqs.length, rest.length])).toEqual([
      [512, 0],
      [88, 512],
    ]);
  });

  test("of items that ran programs wait 3 ms for others, and go without any", async () => {
    const { buffer, sent } = create();
    buffer.addSoon(1, 40);
    buffer.addSoon(2, 40);
    await vi.advanceTimersByTimeAsync(2);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual([{ seqs: [1, 2], rest: [] }]);
    await vi.advanceTimersByTimeAsync(50);
    expect(sent).toHaveLength(1);
  });

  test("are sent once: a flush of an empty buffer sends no message", () => {
    const { buffer, sent } = create();
    buffer.flush();
    buffer.addDone(1, 0, monotonicMs());
    buffer.flush();
    buffer.flush();
    expect(sent).toEqual([{ seqs: [1], rest: [] }]);
  });
});
