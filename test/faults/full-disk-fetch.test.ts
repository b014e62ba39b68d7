import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { counts, createPlace } from "../e2e/kagurazaka.js";
import { bytesOf, firstOf, ranged, startServer } from "../tasks/fetch/misbehaving-server.js";
import { leftovers, listFiles } from "./harness/disk.js";
import { report } from "./harness/seeds.js";
import { mayMount, mountSmallDisk } from "./harness/small-disk.js";
import { checkOutOfRoom, checkWholeFiles } from "./scenarios/out-of-room.js";

const notBecause = mayMount ? "" : " (skipped: mounting a small disk takes root on Linux)";
const args = ["@fetch", "--json", "--lines", "urls.txt", "--out", "out"];

test.skipIf(!mayMount)(
  `a disk that is full in the middle of a large download keeps what came; with room the rest is asked for${notBecause}`,
  async () => {
    const body = bytesOf(3 << 20);
    const server = await startServer({ "/big.bin": ranged(body, { etag: '"one"' }) });
    const place = createPlace({ "urls.txt": `${server.origin}/big.bin\tbig.bin\n` });
    using disk = mountSmallDisk(place.path("out"), 1500);
    const message = checkOutOfRoom(await place.run(args), /no space is left in the output root /);
    expect(message).toContain("big.bin");
    expect(listFiles(disk.dir).filter((path) => !path.startsWith(".kagurazaka"))).toEqual([]);
    const part = listFiles(disk.dir).find((path) => path.endsWith("/part"))!;
    const kept = readFileSync(join(disk.dir, part));
    expect(kept.length).toBeGreaterThan(1 << 20);
    expect(body.subarray(0, kept.length).equals(kept)).toBe(true);
    disk.resize(16 << 10);
    const again = await place.run(args);
    expect(again.code, again.stderr).toBe(0);
    expect(checkWholeFiles(disk.dir, () => body)).toBe(1);
    const requests = server.seenOf("/big.bin");
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${kept.length}-`]);
    expect(requests[1]!.sent).toBe(body.length - firstOf(requests[1]!));
    expect(listFiles(disk.dir).filter((path) => path.includes("kept"))).toEqual([]);
    expect(leftovers(disk.dir)).toEqual([]);
    report("full disk, one large download", { kept: kept.length, "sent again": kept.length - firstOf(requests[1]!) });
  },
);

test.skipIf(!mayMount)(
  `many small downloads at once: those that are there are whole, the others are made with room${notBecause}`,
  async () => {
    const names = Array.from({ length: 24 }, (_, i) => `f${i}.bin`);
    const bodies = new Map(names.map((name, i) => [name, bytesOf(60_000, i + 1)]));
    const server = await startServer(
      Object.fromEntries(names.map((name) => [`/${name}`, ranged(bodies.get(name)!, { etag: `"${name}"` })])),
    );
    const place = createPlace({ "urls.txt": names.map((name) => `${server.origin}/${name}\t${name}\n`).join("") });
    using disk = mountSmallDisk(place.path("out"), 700);
    const stopped = await place.run([...args, "--write-sum", "sha256"]);
    checkOutOfRoom(stopped, /no space is left in the output root /);
    expect(stopped.json.counts.failed).toBeLessThanOrEqual(1);
    const isWhole = (): number => {
      const found = listFiles(disk.dir).filter((path) => path.endsWith(".bin") && !path.startsWith(".kagurazaka"));
      for (const name of found) expect(readFileSync(join(disk.dir, name)).equals(bodies.get(name)!), name).toBe(true);
      return found.length;
    };
    const found = isWhole();
    expect(found).toBeLessThan(names.length);
    disk.resize(8192);
    const again = await place.run([...args, "--write-sum", "sha256"]);
    expect(again.json.counts, again.stderr).toEqual(counts({ done: names.length - found, skipped: found }));
    expect(isWhole()).toBe(names.length);
    expect(leftovers(disk.dir)).toEqual([]);
    report("full disk, small downloads", { found, failed: stopped.json.counts.failed });
  },
);
