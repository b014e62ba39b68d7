import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { hostname } from "node:os";
import { afterEach, expect, test } from "vitest";
import { serveDashboard } from "../../src/dashboard/serve-dashboard.js";
import { run, ScriptedFleet } from "./fleet.js";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

async function serve(options: Partial<Parameters<typeof serveDashboard>[0]> = {}) {
  const fleet = new ScriptedFleet();
  fleet.runList = [run("r 1/ü", { task: "<img src=x onerror=alert(1)>" })];
  const dashboard = await serveDashboard({ control: fleet, port: 0, pollEveryMs: 30, ...options });
  open.push(dashboard);
  const start = (path: string, { method = "GET", headers = {}, body = "" } = {}): ClientRequest =>
    request({ host: "127.0.0.1", port: dashboard.port, path, method, headers: { ...headers } }).end(body);
  const ask = async (path: string, how: Parameters<typeof start>[1] = {}) => {
    const [res] = (await once(start(path, how), "response")) as [IncomingMessage];
    let text = "";
    for await (const part of res.setEncoding("utf8")) text += part;
    return { status: res.statusCode, headers: res.headers, text };
  };
  return { fleet, dashboard, ask, start };
}

const cancelPath = `/api/runs/${encodeURIComponent("r 1/ü")}/cancel`;

test("the page is complete, comes from here alone, and may load nothing from elsewhere", async () => {
  const { ask, dashboard } = await serve();
  expect(dashboard.url).toBe(`http://127.0.0.1:${dashboard.port}/`);
  const { text, headers } = await ask("/");
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';.*frame-ancestors 'none'/);
  expect(headers["content-security-policy"]).not.toMatch(/unsafe|\*|https?:/);
  expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin" });
  expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  const files = [...text.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, file]) => file!);
  expect(files.length).toBeGreaterThan(3);
  const seen = new Set(files);
  for (const file of seen) {
    const { status, headers: type, text: code } = await ask(`/${file}`);
    expect([file, status]).toEqual([file, 200]);
    expect(type["content-type"]).not.toMatch(/html/);
    for (const [, other] of code.matchAll(/from "\.\/([^"]+)"/g)) seen.add(`assets/${other}`);
  }
  expect(seen.size).toBeGreaterThan(8);
});

test.each([
  ["/nothing"],
  ["/assets/../serve-dashboard.ts"],
  ["/assets/%2e%2e/guard.ts"],
  ["/assets/page.html"],
  ["//"],
])("there is nothing at %s", async (path) => {
  const { ask } = await serve();
  expect((await ask(path)).status).toBe(404);
});

test("the state is told as JSON, and as metrics", async () => {
  const { ask } = await serve();
  const state = await ask("/api/state");
  expect(state.headers["content-type"]).toMatch(/^application\/json/);
  expect(JSON.parse(state.text)).toMatchObject({ runs: [{ run: "r 1/ü", etaMs: expect.any(Number) }], nodes: [] });
  const metrics = await ask("/metrics");
  expect(metrics.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(metrics.text).toContain('kagurazaka_run_items_total{run="r 1/ü",status="done"} 50\n');
  expect(await ask("/metrics", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  expect(await ask("/metrics", { method: "POST" })).toMatchObject({ status: 405 });
});

test("a queue that fails is told of, and does not break the dashboard", async () => {
  const { ask, fleet } = await serve();
  fleet.error = new Error("no \x1b[31mqueue");
  expect(JSON.parse((await ask("/api/state")).text)).toMatchObject({ error: "no \\x1b[31mqueue" });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await ask("/metrics")).text).toMatch(/queue_up 0\n$/);
});

test("a queue that is silent is told of before Prometheus gives up the scrape", async () => {
  const { ask, fleet } = await serve();
  fleet.isMute = true;
  const startMs = performance.now();
  expect((await ask("/metrics")).text).toMatch(/queue_up 0\n$/);
  expect(performance.now() - startMs).toBeLessThan(6000);
}, 15_000);

test("a run is cancelled when that is allowed, and the request is our own", async () => {
  const { ask, fleet, dashboard } = await serve({ allowCancel: true });
  const origin = `http://127.0.0.1:${dashboard.port}`;
  for (const headers of [
    { origin: "http://evil.example" },
    { "sec-fetch-site": "cross-site" },
    { host: `evil.example:${dashboard.port}`, origin: `http://evil.example:${dashboard.port}` },
  ]) {
    const { status } = await ask(cancelPath, { method: "POST", headers });
    expect([403, 421]).toContain(status);
  }
  expect((await ask(cancelPath)).status).toBe(405);
  expect(fleet.cancelled).toEqual([]);
  const answer = await ask(cancelPath, { method: "POST", headers: { origin }, body: "x".repeat(100_000) });
  expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { run: "r 1/ü", cancelled: true }]);
  expect(fleet.cancelled).toEqual(["r 1/ü"]);
  expect((await ask("/api/runs/other/cancel", { method: "POST" })).status).toBe(409);
  expect((await ask("/api/runs/%ff/cancel", { method: "POST" })).status).toBe(400);
  fleet.error = new Error("gone");
  expect(await ask(cancelPath, { method: "POST" })).toMatchObject({ status: 503, text: '{"error":"gone"}' });
});

test("a dashboard that is not asked otherwise only reads", async () => {
  const { ask, fleet } = await serve();
  const { status, text } = await ask(cancelPath, { method: "POST" });
  expect([status, text]).toEqual([403, expect.stringContaining("--allow-cancel")]);
  expect(fleet.cancelled).toEqual([]);
});

test("another page may be mounted, which is guarded too", async () => {
  const paths: string[] = [];
  const mount = {
    path: "/queues",
    handle(req: IncomingMessage, res: { end(text: string): void }) {
      paths.push(`${req.method} ${req.url}`);
      res.end("mounted");
    },
  };
  const { ask } = await serve({ mount });
  expect((await ask("/queues/api?x=1")).text).toBe("mounted");
  expect((await ask("/queues")).headers["content-security-policy"]).toMatch(/^default-src 'self'; /);
  expect((await ask("/queuesque")).status).toBe(404);
  expect((await ask("/queues", { headers: { host: "evil.example" } })).status).toBe(421);
  expect((await ask("/queues/clean", { method: "PUT" })).status).toBe(403);
  expect(paths).toEqual(["GET /queues/api?x=1", "GET /queues"]);
  const writable = await serve({ mount, allowCancel: true });
  expect((await writable.ask("/queues/clean", { method: "PUT" })).text).toBe("mounted");
  const elsewhere = { method: "PUT", headers: { origin: "http://evil.example" } };
  expect((await writable.ask("/queues/clean", elsewhere)).status).toBe(403);
});

/** The events that come, by and by. */
async function listenTo(client: ClientRequest) {
  const [res] = (await once(client, "response")) as [IncomingMessage];
  let text = "";
  res.setEncoding("utf8").on("data", (part: string) => (text += part));
  res.on("error", () => {});
  const events = (): { event: string; data: Record<string, unknown> }[] =>
    [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].map(([, event, data]) => ({
      event: event!,
      data: JSON.parse(data!),
    }));
  return { res, events };
}

test("an open page is told all, then what changes; the last one that closes ends the questions", async () => {
  const { start, fleet } = await serve();
  const clients = [start("/api/events"), start("/api/events")];
  const streams = await Promise.all(clients.map(listenTo));
  expect(streams[0]!.res.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
  await expect.poll(() => streams[1]!.events().length).toBeGreaterThan(2);
  const [first, second] = streams[1]!.events();
  expect(first).toMatchObject({ event: "all", data: { order: ["r 1/ü"], allowCancel: false } });
  expect(second).toMatchObject({ event: "state", data: { order: ["r 1/ü"] } });
  fleet.change("r 1/ü", { state: "draining" });
  await expect.poll(() => JSON.stringify(streams[0]!.events().at(-1))).toContain("r 1/ü");
  await expect.poll(() => JSON.stringify(streams[0]!.events())).toContain("draining");
  for (const client of clients) client.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { asked } = fleet;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(fleet.asked).toBe(asked);
});

test("a client that does not read is cut off, and one that reads is not", async () => {
  const { start, fleet } = await serve({ pollEveryMs: 10 });
  fleet.runs = async () =>
    Array.from({ length: 100 }, (_, i) => run(`r${i}`, { task: `${Math.random()}`.padEnd(3900) }));
  const [slow] = (await once(start("/api/events"), "response")) as [IncomingMessage];
  slow.pause();
  const [reader] = (await once(start("/api/events"), "response")) as [IncomingMessage];
  let bytes = 0;
  reader.on("data", (part: Buffer) => (bytes += part.length));
  // More than a socket holds by itself.
  await expect.poll(() => bytes, { timeout: 30_000 }).toBeGreaterThan(30e6);
  const cut = once(slow, "error");
  slow.resume();
  expect((await cut)[0]).toMatchObject({ code: "ECONNRESET" });
  expect(reader.destroyed).toBe(false);
  reader.on("error", () => {});
}, 60_000);

test("it ends while pages are open", async () => {
  const { start, dashboard } = await serve();
  const { res } = await listenTo(start("/api/events"));
  const ended = once(res, "close");
  await open.pop()![Symbol.asyncDispose]();
  await ended;
  await expect(once(start("/"), "response")).rejects.toThrow(/ECONNREFUSED|hang up/);
  expect(dashboard.port).toBeGreaterThan(0);
});

test("a port that is taken, and an address that is not here, are said with what to do", async () => {
  const { dashboard } = await serve();
  await expect(serve({ port: dashboard.port })).rejects.toMatchObject({
    code: "environment",
    message: `the dashboard cannot listen: port ${dashboard.port} of 127.0.0.1 is in use`,
    hint: expect.stringContaining("--port"),
  });
  await expect(serve({ host: "192.0.2.1" })).rejects.toMatchObject({ hint: expect.stringContaining("--host") });
});

test("beyond loopback it warns, and answers to the names that it is given", async () => {
  const warnings: string[] = [];
  const onWarning = (message: string): void => void warnings.push(message);
  const { ask, dashboard } = await serve({ host: "0.0.0.0", allowedHosts: ["Fleet.example"], onWarning });
  expect(warnings).toEqual([expect.stringMatching(/0\.0\.0\.0 and has no password: .* reads/)]);
  expect(dashboard.url).toBe(`http://${hostname()}:${dashboard.port}/`);
  for (const host of ["fleet.example", hostname(), "10.1.2.3"])
    expect((await ask("/api/state", { headers: { host } })).status).toBe(200);
  const loopback = await serve({ onWarning });
  expect(warnings.length).toBe(1);
  // A page of another site that points this name at 127.0.0.1 would else read everything.
  expect((await loopback.ask("/api/state", { headers: { host: hostname() } })).status).toBe(421);
});
