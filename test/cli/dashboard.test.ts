import { afterEach, expect, test, vi } from "vitest";
import { messages } from "../../src/cli/message-out.js";
import { ScriptedFleet } from "../dashboard/fleet.js";

const fleet = new ScriptedFleet();
vi.doMock(import("../../src/cli/fleet-options.js"), async (original) => ({
  ...(await original()),
  openFleetControl: async () => fleet,
}));
const { command } = await import("../../src/cli/commands/dashboard.js");
afterEach(() => void vi.restoreAllMocks());

function start(values: Record<string, unknown> = {}) {
  let said = "";
  vi.spyOn(messages, "write").mockImplementation((text) => {
    said += text;
  });
  const closed = vi.spyOn(fleet, Symbol.asyncDispose as never);
  const all = { host: "127.0.0.1", port: 0, allowCancel: false, allowHost: undefined, ...values };
  const ended = command.run({ values: all, words: [], runArgv: [], stateDir: undefined } as never);
  const url = async (): Promise<string> => {
    await expect.poll(() => said).toMatch(/dashboard at http/);
    return /http\S+/.exec(said)![0];
  };
  return { ended, url, closed, said: () => said };
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 0],
] as const)("the dashboard says where it is, and ends by %s with code %i", async (signal, code) => {
  const { ended, url, closed } = start();
  expect((await fetch(`${await url()}metrics`)).status).toBe(200);
  process.emit(signal, signal);
  expect(await ended).toBe(code);
  expect(closed).toHaveBeenCalledOnce();
  await expect(fetch(await url())).rejects.toThrow();
  expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(0);
});

test("the dashboard warns beyond loopback", async () => {
  const { ended, url, said } = start({ host: "0.0.0.0", allowCancel: true });
  await url();
  process.emit("SIGTERM", "SIGTERM");
  await ended;
  expect(said()).toMatch(/^warning the dashboard listens on 0\.0\.0\.0 .* can cancel runs\n/);
});

test("a port that is taken ends the command, and the fleet is let go", async () => {
  const first = start();
  const port = Number(new URL(await first.url()).port);
  const second = start({ port });
  await expect(second.ended).rejects.toMatchObject({ message: expect.stringContaining("is in use") });
  process.emit("SIGTERM", "SIGTERM");
  await first.ended;
  expect(first.closed).toHaveBeenCalledTimes(2);
});
