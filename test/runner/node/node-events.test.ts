import { expect, test, vi } from "vitest";
import type { NodeJob, NodeOutcomes } from "../../../src/contracts/fleet.js";
import { NodeEvents } from "../../../src/runner/node/node-events.js";

/** A queue that takes outcomes when the test says so. */
function openQueue() {
  const sent: NodeOutcomes[] = [];
  const givenBack: (readonly [number, readonly number[]])[] = [];
  const waiting: (() => void)[] = [];
  const settle = (outcomes: NodeOutcomes): Promise<void> => {
    sent.push(outcomes);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const giveBack = (chunk: number, indices: readonly number[]): void => void givenBack.push([chunk, indices]);
  const events = new NodeEvents({ settle, giveBack } as unknown as NodeJob);
  const chunk = (id: number, count: number) =>
    events.decode({
      id,
      count,
      shard: 0,
      forced: false,
      keys: Array.from({ length: count }, (_, i) => `k${i}`).join("\n"),
      items: Array(count).fill("{}").join("\n"),
    });
  const confirm = async (): Promise<void> => {
    for (const resolve of waiting.splice(0)) resolve();
    await new Promise(setImmediate);
  };
  return { events, chunk, sent, givenBack, confirm };
}

test("outcomes are sent at once; while some are on their way, later ones are collected into one message a chunk", async () => {
  const { events, chunk, sent, confirm } = openQueue();
  const first = chunk(1, 4);
  const second = chunk(2, 1);
  for (const index of [0, 1]) {
    events.onDone(first, index, 0.5);
    events.onMessageDone();
  }
  expect(sent).toEqual([{ chunk: 1, plain: [0, 0.5], rest: [] }]);
  events.onDone(first, 3, 0.25);
  events.onDone(second, 0, 0.125);
  events.onMessageDone();
  await confirm();
  await vi.waitFor(() => expect(sent).toHaveLength(3));
  expect(sent.slice(1)).toEqual([
    { chunk: 1, plain: [1, 0.5, 3, 0.25], rest: [] },
    { chunk: 2, plain: [0, 0.125], rest: [] },
  ]);
  await confirm();
  expect(sent).toHaveLength(3);
  expect([events.open, events.settled]).toEqual([1, 4]);
});

test("who asks for all to be in the queue does not wait for a message of a worker", async () => {
  const { events, chunk, sent, givenBack, confirm } = openQueue();
  const one = chunk(1, 3);
  events.onDone(one, 0, 1);
  events.onMessageDone();
  events.onDone(one, 1, 1);
  events.onSettled(one.itemAt(2), { status: "cancelled", durationMs: 0 });
  let isSent = false;
  void events.whenSent.then(() => {
    isSent = true;
  });
  expect(sent).toHaveLength(2);
  expect(givenBack).toEqual([[1, [2]]]);
  expect([events.open, events.settled], "what was given back has not settled").toEqual([0, 2]);
  await new Promise(setImmediate);
  expect(isSent).toBe(false);
  await confirm();
  expect(isSent).toBe(true);
});
