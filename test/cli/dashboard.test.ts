import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { hostname } from "node:os";
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

test.each([
  ["127.0.0.1", 421],
  ["0.0.0.0", 200],
])("--host %s answers to the name of this machine as --allow-host says: %i", async (host, expected) => {
  expect(command.options.allowHost.help).toMatch(/where --host is not loopback, the name of this machine/);
  const { ended, url } = start({ host });
  const { port } = new URL(await url());
  const asked = request({ host: "127.0.0.1", port, headers: { host: `${hostname()}:${port}` } }).end();
  const [{ statusCode }] = (await once(asked, "response")) as [IncomingMessage];
  expect(statusCode).toBe(expected);
  process.emit("SIGTERM", "SIGTERM");
  await ended;
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
