import { describe, expect, test } from "vitest";
import { parseAddress } from "../../../backbones/bullmq/address.js";

describe("the address of a Redis", () => {
  test.each([
    ["redis://host", { kind: "one", hosts: [{ host: "host", port: 6379 }], tls: false, db: 0, login: {} }],
    ["redis://host:7000/3", { hosts: [{ host: "host", port: 7000 }], db: 3 }],
    ["rediss://me:s%40crt@host", { tls: true, login: { username: "me", password: "s@crt" }, shown: "rediss://host" }],
    ["redis://:only@[::1]:1", { hosts: [{ host: "::1", port: 1 }], login: { password: "only" } }],
    [
      "redis-sentinel://a,b:2/main",
      {
        kind: "sentinel",
        hosts: [
          { host: "a", port: 26_379 },
          { host: "b", port: 2 },
        ],
        name: "main",
      },
    ],
    [
      "rediss-cluster://a:1,b:2",
      {
        kind: "cluster",
        tls: true,
        hosts: [
          { host: "a", port: 1 },
          { host: "b", port: 2 },
        ],
      },
    ],
  ])("%s", (url, parts) => expect(parseAddress(url)).toMatchObject(parts));

  test.each([
    ["localhost:6379", /not the URL of a Redis/],
    ["http://host", /not the URL of a Redis/],
    ["redis://a,b", /several hosts/],
    ["redis-sentinel://a", /name the master/],
    ["redis://host/x", /not a database number/],
    ["redis://host:70000", /host that is none/],
    ["redis://me:50%@host", /stands for nothing/],
  ])("%s is refused", (url, says) => expect(() => parseAddress(url)).toThrow(says));

  test("no message holds the password", () => {
    for (const url of ["redis://u:hunter2@host/x", "redis://u:hunter2@a,b", "redis://u:hunter2@h:99999"])
      expect(() => parseAddress(url)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining("hunter2") }),
      );
  });

  test("costs time in proportion to its length", () => {
    expect(() => parseAddress(`redis://${"a:".repeat(100_000)}@`)).toThrow();
    expect(() => parseAddress(`redis://host${"/".repeat(100_000)}x`)).toThrow();
  });
});
