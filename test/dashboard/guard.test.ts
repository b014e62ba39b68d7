import { expect, test } from "vitest";
import { isLoopback, refusalOf } from "../../src/dashboard/guard.js";

const allowed = ["127.0.0.1", "fleet.example"];

test.each([
  ["127.0.0.1:7979"],
  ["localhost:7979"],
  ["localhost:9000"],
  ["[::1]:7979"],
  ["10.0.0.7"],
  ["fleet.example"],
  ["FLEET.example:443"],
])("the host %s is one of ours", (host) => expect(refusalOf({ host }, "data", allowed)).toBeUndefined());

test.each([
  ["evil.example"],
  ["evil.example:7979"],
  ["127.0.0.1.evil.example"],
  ["localhost.evil.example"],
  ["notlocalhost"],
  ["fleet.example.evil"],
  ["user@127.0.0.1"],
  ["127.0.0.1/evil.example"],
  ["127.0.0.1#evil"],
  ["evil.example\\@127.0.0.1"],
  ["a b"],
  ["[::1"],
  [""],
  [undefined],
])("the host %s is refused", (host) => expect(refusalOf({ host }, "page", allowed)).toMatchObject({ status: 421 }));

test.each([
  [{ origin: "http://127.0.0.1:7979", "sec-fetch-site": "same-origin" }],
  [{ origin: "http://127.0.0.1:7979" }],
  // A program that is no browser.
  [{}],
])("a change is accepted from our own page: %j", (headers) =>
  expect(refusalOf({ host: "127.0.0.1:7979", ...headers }, "change", allowed)).toBeUndefined(),
);

test.each([
  [{ origin: "http://evil.example" }],
  [{ origin: "http://127.0.0.1:3000" }],
  [{ origin: "http://localhost:7979" }],
  [{ origin: "http://127.0.0.1" }],
  [{ origin: "null" }],
  [{ origin: "http://127.0.0.1:7979", "sec-fetch-site": "cross-site" }],
  [{ "sec-fetch-site": "same-site" }],
  [{ "sec-fetch-site": "none" }],
])("a change is refused from elsewhere: %j", (headers) =>
  expect(refusalOf({ host: "127.0.0.1:7979", ...headers }, "change", allowed)).toMatchObject({ status: 403 }),
);

test("a proxy that ends TLS and passes the host on is our own page", () =>
  expect(refusalOf({ host: "fleet.example", origin: "https://fleet.example" }, "change", allowed)).toBeUndefined());

test("data may be opened by hand, and not by another site", () => {
  const host = "127.0.0.1:7979";
  expect(refusalOf({ host, "sec-fetch-site": "none" }, "data", allowed)).toBeUndefined();
  expect(refusalOf({ host, "sec-fetch-site": "cross-site" }, "data", allowed)).toMatchObject({ status: 403 });
  expect(refusalOf({ host, "sec-fetch-site": "cross-site" }, "page", allowed)).toBeUndefined();
});

test("loopback is told from other addresses", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "::1"]) expect(isLoopback(host)).toBe(true);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.evil.example", "example"]) expect(isLoopback(host)).toBe(false);
});
