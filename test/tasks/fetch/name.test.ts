import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashOfUrl, pathOfUrl } from "../../../tasks/fetch/name.js";

const path = (url: string): string => pathOfUrl(new URL(url));
const mark = /~[0-9a-f]{16}/;

describe("the path of a URL", () => {
  test.each([
    ["https://host/a/b.jpg", "host/a/b.jpg"],
    ["http://HOST:80/a/b.jpg", "host/a/b.jpg"],
    ["https://host:8080/a.tar.gz", "host+8080/a.tar.gz"],
    ["https://host", "host/index.html"],
    ["https://host/a/", "host/a/index.html"],
    ["https://host/%E3%81%82/い.txt", "host/あ/い.txt"],
    ["https://host/a%20b.txt", "host/a b.txt"],
    ["https://host/a/%2e%2e/%2E%2E/b.txt", "host/b.txt"],
    ["https://host/..%2f..%2Fetc/passwd.txt", "host/..%2F..%2Fetc/passwd.txt"],
    ["https://host/a%5Cb%00c%0A.txt", "host/a%5Cb%00c%0A.txt"],
    ["https://host/100%25.txt", "host/100%25.txt"],
    ["https://host/100%.txt", "host/100%.txt"],
    ["https://host/%ff%41.txt", "host/%FF%41.txt"],
    ["https://host/a*b:c.txt", "host/a%2Ab%3Ac.txt"],
    ["http://[::1]:8080/a.txt", "__1+8080/a.txt"],
    ["https://.kagurazaka/fetch/lease.json", "_kagurazaka/fetch/lease.json"],
    ["https://host/.hidden.txt", "host/.hidden.txt"],
  ])("of %s is %s", (url, expected) => expect(path(url)).toBe(expected));

  test.each([
    ["a query", "https://host/b.jpg?w=1", /^host\/b~[0-9a-f]{16}\.jpg$/],
    ["no extension, for it could be a folder too", "https://host/docs", /^host\/docs~[0-9a-f]{16}$/],
    ["empty segments", "https://host/a//b.jpg", /^host\/a\/b~[0-9a-f]{16}\.jpg$/],
    ["a user", "https://me@host/b.jpg", /^host\/b~[0-9a-f]{16}\.jpg$/],
    ["a query on a folder", "https://host/?page=2", /^host\/index~[0-9a-f]{16}\.html$/],
    ["a long name", `https://host/${"é".repeat(200)}.tar.gz`, /^host\/é{95,105}~[0-9a-f]{16}\.tar\.gz$/],
    ["a long path", `https://host/${"abcdefgh/".repeat(200)}x.txt`, /^host\/x~[0-9a-f]{16}\.txt$/],
  ])("has a mark for %s", (_what, url, expected) => expect(path(url)).toMatch(expected));

  test("does not depend on the password, and does on all else that is sent", () => {
    expect(path("https://me:one@host/b.jpg")).toBe(path("https://me:two@host/b.jpg"));
    const urls = [
      "b.jpg?x=1",
      "b.jpg?x=2",
      "b.jpg",
      "a//b.jpg",
      "a/b.jpg",
      "b%2525.jpg",
      "b%25.jpg",
      "b%2Fc.jpg",
      "b%252Fc.jpg",
    ];
    expect(new Set(urls.map((rest) => path(`https://host/${rest}`))).size).toBe(urls.length);
  });

  test("is one that can be written below a root, whatever the URL", () => {
    fc.assert(
      fc.property(
        fc.webUrl({ withQueryParameters: true }),
        fc.string({ unit: "binary", maxLength: 400 }),
        (base, more) => {
          const url = URL.canParse(more, base) ? new URL(more, base) : new URL(base);
          if (!/^https?:$/.test(url.protocol)) return;
          for (const name of [pathOfUrl(url), hashOfUrl(url)]) {
            expect(Buffer.byteLength(name)).toBeLessThanOrEqual(1000);
            for (const segment of name.split("/")) {
              expect(segment).not.toMatch(/^\.{0,2}$|[\0-\x1f\x7f\\]/);
              expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(240);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("without meaning keeps the extension", () => {
    expect(hashOfUrl(new URL("https://host/a.JPG?x"))).toMatch(/^([0-9a-f]{2})\/\1[0-9a-f]{30}\.JPG$/);
    expect(hashOfUrl(new URL("https://host/"))).toMatch(/^[0-9a-f]{2}\/[0-9a-f]{32}$/);
    expect(mark.test(hashOfUrl(new URL("https://host/")))).toBe(false);
  });
});
