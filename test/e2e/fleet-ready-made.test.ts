import { expect, test } from "vitest";
import { startRedis } from "../support/redis.js";
import { createPlace } from "./kagurazaka.js";

test("@exec runs on a fleet: over lines, and over files with an output each; its id depends on the command", async () => {
  const redis = await startRedis();
  try {
    const env = { KAGURAZAKA_REDIS: redis.url };
    const place = createPlace({ lines: "a\nb\nc\n", "in/x": "2\n1\n", "in/y": "3\n" });
    const fleet = ["--backbone", "bullmq", "--with_worker", "--json"];
    const words = ["@exec", ...fleet, "--lines", "lines", "--", "sh", "-c", 'echo "$0" >> seen', "{}"];
    const lines = await place.run(words, env);
    expect(lines.json.counts, lines.stderr).toMatchObject({ total: 3, done: 3 });
    expect(place.read("seen").split("\n").sort()).toEqual(["", "a", "b", "c"]);
    const files = ["@exec", ...fleet, "--in", "in", "--out", "out", "--stdout-to", "output", "--", "sort", "{}"];
    const sorted = await place.run(files, env);
    expect(sorted.json.counts, sorted.stderr).toMatchObject({ total: 2, done: 2 });
    expect(place.files("out")).toEqual({ x: "1\n2\n", y: "3\n" });
  } finally {
    await redis.close();
  }
});
