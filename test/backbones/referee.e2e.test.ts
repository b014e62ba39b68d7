import { expect, test } from "vitest";
import inline from "../../dist/backbones/inline.js";
import { type It, testBackbone } from "../../dist/src/testing.js";
import type { WorkerBackbone, WorkerSession } from "../../src/contracts/backbone.js";

/** The suite itself: a backbone that does wrong must not pass. */
async function failuresOf(backbone: WorkerBackbone, only: RegExp, options = {}): Promise<string[]> {
  const cases: { title: string; body: () => Promise<void> }[] = [];
  const it: It = Object.assign((title: string, body: () => Promise<void>) => void cases.push({ title, body }), {
    skip() {},
  });
  testBackbone(backbone, { it, options });
  const failed: string[] = [];
  for (const { title, body } of cases.filter(({ title }) => only.test(title)))
    await body().catch(() => failed.push(title.replace(`${backbone.name}: `, "")));
  return failed;
}

const changed = (
  backbone: WorkerBackbone,
  change: (session: WorkerSession) => Partial<WorkerSession>,
): WorkerBackbone => ({
  ...backbone,
  async openWorkers(request) {
    const session = await backbone.openWorkers(request);
    return {
      startWorker: session.startWorker.bind(session),
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      ...change(session),
    };
  },
});

test("a worker's exit reported twice is caught", async () => {
  const twice = changed(inline, (session) => ({
    startWorker: (start, events) =>
      session.startWorker(start, {
        ...events,
        onExit(exit) {
          events.onExit(exit);
          events.onExit(exit);
        },
        onMessage: events.onMessage,
      }),
  }));
  expect(await failuresOf(twice, /settles every item/)).toEqual([
    "settles every item exactly once and ends every worker it started",
  ]);
});

test("items that are handed over twice are caught", async () => {
  const eager = changed(inline, (session) => ({
    startWorker(start, events) {
      const channel = session.startWorker(start, events);
      return {
        ...channel,
        send(message) {
          channel.send(message);
          if (message.type === "items") channel.send(message);
        },
      };
    },
  }));
  expect(await failuresOf(eager, /settles every item/)).toEqual([
    "settles every item exactly once and ends every worker it started",
  ]);
});

test("logs that are lost are caught", async () => {
  const mute = changed(inline, (session) => ({
    startWorker: (start, events) =>
      session.startWorker(start, {
        onExit: events.onExit,
        onMessage: (message) => {
          if (message.type !== "log") events.onMessage(message);
        },
      }),
  }));
  expect(await failuresOf(mute, /log arrives|drained/)).toEqual(["what items log arrives with their keys"]);
});

test("one that cannot end its workers but says so is excused, with the reason", () => {
  const skipped: string[] = [];
  const it: It = Object.assign(() => {}, { skip: (title: string) => void skipped.push(title) });
  testBackbone(inline, { it });
  expect(skipped.length).toBeGreaterThan(2);
  for (const title of skipped) expect(title).toMatch(/\(skipped: this backbone cannot end a worker/);
});
