import { tmpdir } from "node:os";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeItem } from "../../../src/base/canonical-json.js";
import { hashText, nameOfHash } from "../../../src/base/hash.js";
import type { Chunk } from "../../../src/contracts/chunk.js";
import { unpackKeys } from "../../../src/contracts/wire.js";
import { Packer } from "../../../src/runner/plan/bulk/packed-chunk.js";
import { openSeenKeys } from "../../../src/runner/plan/bulk/seen-keys.js";

const packer = () => new Packer(openSeenKeys({ spillDir: tmpdir() }), { shard: 0, forced: false });
const keysOf = (chunk: Chunk) => Array.from({ length: chunk.count }, (_, i) => chunk.keyAt(i));
const nameOf = (record: unknown) => nameOfHash(hashText(encodeItem(record)));

describe("packed records", () => {
  it("are named and spelled as the general way names and spells them", () => {
    const record = fc.record({ i: fc.nat(), path: fc.stringMatching(/^[ -~]{0,20}$/) });
    fc.assert(
      fc.property(
        fc.uniqueArray(record, { minLength: 1, maxLength: 50, selector: (one) => JSON.stringify(one) }),
        (records) => {
          let at = 0;
          for (const pack = packer(); at < records.length; ) {
            const chunk = pack.pack(records, at);
            // A quote or a backslash needs escaping: that one goes the general way.
            if (!chunk) {
              expect(records[at]!.path).toMatch(/["\\]/);
              at++;
              continue;
            }
            const part = records.slice(at, at + chunk.count);
            expect(keysOf(chunk)).toEqual(part.map(nameOf));
            expect(JSON.parse(`[${chunk.itemsText(0, chunk.count)}]`)).toEqual(part);
            expect(unpackKeys(chunk.keysText(0, chunk.count))).toEqual(keysOf(chunk));
            expect(part.map((_, i) => chunk.sizeAt(i))).toEqual(part.map((one) => encodeItem(one).length));
            at += chunk.count;
          }
        },
      ),
    );
  });

  it("can be cut anywhere", () => {
    const records = Array.from({ length: 10 }, (_, i) => ({ i }));
    const chunk = packer().pack(records, 0)!;
    expect(chunk.itemsText(3, 5)).toBe('{"i":3},{"i":4}');
    expect(unpackKeys(chunk.keysText(9, 10))).toEqual([nameOf({ i: 9 })]);
    expect(chunk.itemAt(7)).toMatchObject({ key: nameOf({ i: 7 }), json: '{"i":7}', attempt: 1 });
  });

  it("end where a record is not plain, and before one that does not fit", () => {
    const pack = packer();
    expect(pack.pack([{ i: 1 }, { i: 2 }, { f: 1.5 }, { i: 3 }], 0)?.count).toBe(2);
    expect(pack.pack([{ f: 1.5 }], 0)).toBeUndefined();
    expect(pack.pack([null, 5, [1]], 0)).toBeUndefined();
    const large = { text: "x".repeat(100_000) };
    expect(pack.pack([large, { ...large, a: 1 }, { i: 9 }], 0)?.count).toBe(1);
    expect(pack.pack([{ text: "x".repeat(300_000) }], 0)).toBeUndefined();
  });

  it("that come again are other items", () => {
    const pack = packer();
    const name = nameOf({ i: 1 });
    expect(keysOf(pack.pack([{ i: 1 }, { i: 2 }, { i: 1 }], 0)!)).toEqual([name, nameOf({ i: 2 }), `${name}#2`]);
    expect(keysOf(pack.pack([{ i: 1 }], 0)!)).toEqual([`${name}#3`]);
  });
});
