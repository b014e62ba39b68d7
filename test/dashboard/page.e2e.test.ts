import type { Browser, Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findChromium, openBrowser } from "./browser.js";
import type { Dashboard } from "./built.js";
import { serveBuilt } from "./built.js";
import { node, report, run, ScriptedFleet } from "./fleet.js";

const found = findChromium();
const hostile = `<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=2</script>`;
const failure = (name: string, count = 3) => ({
  class: name,
  count,
  key: `${name}/first.jpg`,
  error: { name: "Error", message: "broken", stack: `Error: broken\n    at ${name} (task.ts:7:3)` },
});

describe.skipIf("reason" in found)(`the page in Chromium${"reason" in found ? ` (${found.reason})` : ""}`, () => {
  let browser: Browser;
  let page: Page;
  let fleet: ScriptedFleet;
  let dashboard: Dashboard;
  /** What the browser complains of: errors of scripts, what the policy has blocked. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await openBrowser((found as { path: string }).path);
  }, 120_000);
  afterAll(() => browser?.close());

  beforeEach(async () => {
    fleet = new ScriptedFleet();
    fleet.runList = [
      run("r1", {
        report: report({
          failures: [failure("parse"), failure("read")],
          oldest: [{ key: "old.jpg", sinceMs: 65_000, node: "n1" }],
        }),
      }),
      run("r0", { task: "Count", state: "ended", report: report({ exitCode: 3, inFlight: 0, waiting: 0 }) }),
    ];
    fleet.nodeList = [node("n1"), node("n2", { host: "gamma", leaving: true })];
    page = await browser.newPage();
    complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  });
  afterEach(async () => {
    await page.close();
    await dashboard[Symbol.asyncDispose]();
  });

  async function open(options: Parameters<typeof serveBuilt>[1] = {}): Promise<void> {
    dashboard = await serveBuilt(fleet, { port: 0, pollEveryMs: 50, ...options });
    await page.goto(dashboard.url);
    await page.waitForSelector('#connection[data-state="live"]');
  }

  /** Scripts are texts: the types of a page are not those of Node. */
  const inPage = <T = string>(script: string): Promise<T> => page.evaluate(script) as Promise<T>;
  const text = (selector: string): Promise<string> => page.$eval(selector, (one) => one.innerText);
  const texts = (selector: string): Promise<string[]> =>
    page.$$eval(selector, (all) => all.map((one) => one.innerText));
  const says = (selector: string, what: RegExp): Promise<unknown> => expect.poll(() => text(selector)).toMatch(what);
  /** Waits until the page has shown some more states. */
  async function updates(): Promise<void> {
    const asked = fleet.asked;
    await expect.poll(() => fleet.asked).toBeGreaterThan(asked + 3);
  }

  test("shows runs, workers and what is in the queue, with the roles that a screen reader needs", async () => {
    await open();
    expect(await texts(".tiles > div")).toEqual(
      expect.arrayContaining([expect.stringMatching(/^runs\s+1$/), expect.stringMatching(/^slots in use\s+20 of 32$/)]),
    );
    const card = await text("#running article");
    for (const said of [
      /Resize r1/,
      /running/,
      /60 %/,
      /done\s+50/,
      /failed\s+2/,
      /time left\s+\d+ s/,
      /chunks waiting\s+3/,
    ])
      expect(card).toMatch(said);
    expect(await text("#ended article")).toMatch(/Count r0\s+ended, exit 3/);
    expect(await texts("#workers-table tbody th")).toEqual([
      expect.stringMatching(/^beta:99\s+n1/),
      expect.stringMatching(/^gamma:99\s+n2/),
    ]);
    expect(await texts("#workers-table .state")).toEqual(["working", "leaving"]);
    expect(await page.$$eval("th", (all) => all.filter((one) => !one.hasAttribute("scope")).length)).toBe(0);
    expect(
      await page.$$eval("h1, h2, h3, h4", (all) =>
        all.map((one) => Number(one.tagName[1])).some((level, i, levels) => i > 0 && level > levels[i - 1]! + 1),
      ),
    ).toBe(false);
    for (const role of ["banner", "navigation", "main"])
      expect(await page.$$(`::-p-aria([role="${role}"])`)).toHaveLength(1);
    expect(await page.$eval(".curve svg", (svg) => svg.getAttribute("aria-label"))).toMatch(
      /^Items per second over the last .*: now 2\.00\/s/,
    );
    expect(complaints).toEqual([]);
  });

  test("shows names that look like HTML as what they are", async () => {
    fleet.runList = [
      run(hostile, {
        task: hostile,
        coordinator: { host: hostile, pid: 1 },
        startedAt: hostile,
        report: report({
          failures: [{ ...failure(hostile), error: { name: hostile, message: hostile, hint: hostile } }],
          oldest: [{ key: hostile, sinceMs: 1, node: hostile }],
          error: { name: hostile, message: hostile },
        }),
      }),
    ];
    fleet.nodeList = [
      node(hostile, {
        host: hostile,
        version: hostile,
        run: hostile,
        task: hostile,
        running: [{ key: hostile, sinceMs: 1 }],
      }),
    ];
    await open({ allowCancel: true });
    fleet.error = new Error(hostile);
    await says("#problem", /Not up to date: <img src=x/);
    await page.click("summary");
    expect(await text("#running article")).toContain(`First item: ${hostile}/first.jpg`);
    await page.click("article button");
    expect(await text("#confirm-run")).toContain(hostile);
    expect(await page.$$("img, main script")).toEqual([]);
    expect(await inPage("globalThis.hacked")).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  test("keeps what is open, focused and selected, whatever changes around it", async () => {
    await open();
    for (const at of [2, 1]) await page.click(`.failures details:nth-of-type(${at}) summary`);
    await inPage('document.getSelection().selectAllChildren(document.querySelectorAll(".failures pre")[1])');
    const more = [failure("new", 99), failure("read", 50), failure("parse", 4)];
    fleet.runList = [run("r2"), run("r1", { report: report({ itemsPerSecond: 77, failures: more }) })];
    fleet.nodeList = [node("n0"), ...fleet.nodeList];
    await expect.poll(() => texts(".failures .number")).toEqual(["99", "50", "4"]);
    await updates();
    expect(await page.$$eval(".failures details", (all) => all.map((one) => one.open))).toEqual([false, true, true]);
    expect(await text(".failures details[open] pre")).toMatch(/at read \(task\.ts:7:3\)/);
    expect(await inPage("document.activeElement.textContent")).toMatch(/^4 parse$/);
    expect(await inPage("document.getSelection().toString()")).toMatch(/^Error: broken\s+at read/);
    // The card of a run that ends is the same card. It waits while something in it is selected.
    fleet.change("r1", { state: "ended" });
    await says("#running article:last-child .state", /ended/);
    await inPage("document.getSelection().removeAllRanges()");
    await says("#ended", /Resize r1/);
    expect(await page.$$eval("#ended .failures details", (all) => all.filter((one) => one.open).length)).toBe(2);
  });

  test("does not cancel where it only reads", async () => {
    await open();
    expect(await page.$$eval("article button", (all) => all.filter((one) => one.checkVisibility()))).toEqual([]);
  });

  test("cancels a run when that is allowed, after a question", async () => {
    await open({ allowCancel: true });
    await page.focus("#running article button");
    await page.keyboard.press("Enter");
    await says("#confirm", /Cancel this run\?\s+Resize r1/);
    expect(await inPage("document.activeElement.textContent")).toBe("Keep it running");
    await page.keyboard.press("Escape");
    expect(await page.$eval("#confirm", (dialog) => dialog.open)).toBe(false);
    expect(await inPage("document.activeElement.textContent")).toBe("Cancel");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await updates();
    expect(fleet.cancelled).toEqual([]);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => fleet.cancelled).toEqual(["r1"]);
    await says("#running .state", /draining/);
    expect(await inPage("document.activeElement.textContent"), "the button is gone, its place is kept").toBe(
      "Resize r1",
    );
    expect(complaints).toEqual([]);
  });

  test("says why a run is not cancelled", async () => {
    fleet.cancel = async () => false;
    await open({ allowCancel: true });
    await page.click("#running article button");
    await page.click("#confirm .danger");
    await says("#announcements", /^Not cancelled: the run is not running\.$/);
    await says("#running .answer", /^Not cancelled: the run is not running\.$/);
    expect(await inPage("document.activeElement.textContent")).toBe("Cancel");
    await updates();
    await says("#running .answer", /^Not cancelled/);
    fleet.change("r1", { state: "ended" });
    await expect.poll(() => texts("#running article")).toEqual([]);
    expect(await page.$$eval(".answer", (all) => all.filter((one) => one.checkVisibility()))).toEqual([]);
  });

  test("says what cancel does to a run without a coordinator: it ends", async () => {
    fleet.change("r1", { state: "orphaned" });
    await open({ allowCancel: true });
    await page.click("#running article button");
    await says("#confirm", /The coordinator is gone\. The run ends, and workers give up the items that run\./);
    await page.click("#confirm .danger");
    await expect.poll(() => texts("#running article")).toEqual([]);
    expect(fleet.cancelled).toEqual(["r1"]);
  });

  test("tells items that a worker has fetched ahead from those that it runs", async () => {
    fleet.nodeList = [
      node("n1", { slots: 2, inFlight: 6, startedAt: new Date(Date.now() - 7_200_000).toISOString() }),
      node("n2", { slots: 4, inFlight: 3, startedAt: new Date(Date.now() + 7_200_000).toISOString() }),
    ];
    await open();
    expect(await texts(".tiles > div")).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^slots in use\s+5 of 6$/),
        expect.stringMatching(/^items queued\s+4$/),
      ]),
    );
    const cells = async (column: number): Promise<string[]> =>
      (await texts(`#workers-table tbody td:nth-of-type(${column})`)).map((cell) => cell.trim());
    expect(await cells(3)).toEqual(["2 of 2, 4 queued", "3 of 4"]);
    expect(await page.$$eval("meter", (all) => all.map(({ value, max }) => [value, max]))).toEqual([
      [2, 2],
      [3, 4],
    ]);
    expect(await cells(9)).toEqual(["2 h 00 min", "–"]);
  });

  test("is walked through by Tab, from the top down, with a visible focus", async () => {
    await open({ allowCancel: true });
    const stops: string[] = [];
    for (let i = 0; i < 7; i++) {
      await page.keyboard.press("Tab");
      const [name, outline] = await inPage<[string, string]>(
        "((active) => [active.id || active.textContent.trim(), getComputedStyle(active).outlineStyle])(document.activeElement)",
      );
      expect(outline, name).not.toBe("none");
      stops.push(name);
    }
    expect(stops).toEqual(["Skip to the runs", "Metrics", "JSON", "Cancel", "3 parse", "3 read", "workers-table"]);
  });

  test("says when the connection is lost, and goes on when it is back", async () => {
    await open();
    const { port } = dashboard;
    await dashboard[Symbol.asyncDispose]();
    await says("#connection", /^Connection lost at \d\d:\d\d:\d\d\. Trying again…$/);
    await says("#announcements", /Connection lost/);
    fleet.runList = [run("r9", { task: "Later" })];
    dashboard = await serveBuilt(fleet, { port, pollEveryMs: 50 });
    await says("#connection", /^Live$/);
    await says("#running", /Later r9/);
    await says("#announcements", /Connected again/);
    expect(await page.$$("article")).toHaveLength(1);
  });

  test("tells a screen reader of what has happened, and not of numbers", async () => {
    await open();
    await inPage(`
      globalThis.seen = [];
      for (const one of document.querySelectorAll("[aria-live], [role=status], [role=alert]"))
        new MutationObserver(() => seen.push(one.textContent)).observe(one, { childList: true, characterData: true, subtree: true });
    `);
    fleet.change("r1", { report: report({ itemsPerSecond: 5 }) });
    await updates();
    expect(await inPage("globalThis.seen")).toEqual([]);
    fleet.change("r1", { state: "orphaned" });
    fleet.nodeList = [node("n1"), node("n3"), node("n4")];
    await says("#announcements", /^Run of Resize is orphaned\. 2 workers joined\. 1 worker left\.$/);
  });

  test("follows the colours and the calm that the system asks for", async () => {
    await open();
    const look = (): Promise<string[]> =>
      inPage(`[
        getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.querySelector(".bar span")).transitionProperty,
      ]`);
    const light = await look();
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: "dark" },
      { name: "prefers-reduced-motion", value: "reduce" },
    ]);
    const dark = await look();
    expect(light[0]).not.toBe(dark[0]);
    expect([light[1], dark[1]]).toEqual(["flex-grow", "none"]);
  });

  test("says what to do where there is nothing, and what was when the queue is gone", async () => {
    fleet.runList = [];
    fleet.nodeList = [];
    await open();
    expect(await text("#no-runs")).toMatch(/^No run is active\. kagurazaka task\.ts MyTask/);
    expect(await text("#no-workers")).toMatch(/^No worker is connected\. kagurazaka worker/);
    fleet.error = new Error("connection refused");
    await says("#problem", /^Not up to date: connection refused\. This is what the queue said at \d\d:\d\d:\d\d\./);
    fleet.error = undefined;
    await expect.poll(() => page.$eval("#problem", (one) => one.hidden)).toBe(true);
    // A page that has had no answer does not say that there is nothing.
    fleet.error = new Error("connection refused");
    await page.reload();
    await says("#problem", /^Not up to date: connection refused\.$/);
    expect(await page.$$eval(".empty", (all) => all.filter((one) => one.checkVisibility()))).toEqual([]);
  });
});
