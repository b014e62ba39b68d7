import fc from "fast-check";
import { expect, it } from "vitest";
import { PendingItem } from "../../../src/contracts/chunk.js";
import { InFlight } from "../../../src/runner/dispatch/in-flight.js";
import { ItemChunk } from "../../../src/runner/plan/item-chunk.js";

const header = { shard: 0, forced: false };
const chunkOf = (count: number, name: (index: number) => string) =>
  new ItemChunk(Array.from({ length: count }, (_, i) => new PendingItem({ key: name(i), json: "{}" }, header)));

it("keeps items by number as a map would, whatever the order they leave in", () => {
  const add = fc.record({ add: fc.integer({ min: 1, max: 5 }), skip: fc.nat(3), gap: fc.nat(3) });
  const take = fc.record({ take: fc.nat(60) });
  fc.assert(
    fc.property(fc.array(fc.oneof(add, take), { maxLength: 60 }), (steps) => {
      const inFlight = new InFlight();
      const map = new Map<number, string>();
      let next = 1;
      for (const step of steps) {
        if ("add" in step) {
          next += step.gap;
          const chunk = chunkOf(step.skip + step.add, (i) => `${next}+${i}`);
          for (let i = 0; i < step.add; i++) map.set(next + i, chunk.keyAt(step.skip + i));
          inFlight.add(next, { chunk, from: step.skip, to: step.skip + step.add });
          next += step.add;
        } else {
          expect(inFlight.keyOf(step.take)).toBe(map.get(step.take));
          const place = inFlight.take(step.take);
          expect(place?.chunk.keyAt(place.index)).toBe(map.get(step.take));
          map.delete(step.take);
        }
        expect(inFlight.size).toBe(map.size);
        expect(inFlight.seqs()).toEqual([...map.keys()]);
      }
    }),
  );
});
