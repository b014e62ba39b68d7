import fc from "fast-check";
import { expect, it } from "vitest";
import { InFlight } from "../../../src/runner/dispatch/in-flight.js";

it("keeps items by number as a map would, whatever the order they leave in", () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 5 }), gap: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ take: fc.nat(60) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const inFlight = new InFlight<string>();
      const map = new Map<number, string>();
      let next = 1;
      for (const one of steps) {
        if ("add" in one) {
          next += one.gap;
          const items = Array.from({ length: one.add }, (_, i) => `item ${next + i}`);
          for (const [i, item] of items.entries()) map.set(next + i, item);
          inFlight.add(next, items);
          next += one.add;
        } else {
          expect(inFlight.get(one.take)).toBe(map.get(one.take));
          expect(inFlight.take(one.take)).toBe(map.get(one.take));
          map.delete(one.take);
        }
        expect(inFlight.size).toBe(map.size);
        expect(inFlight.seqs()).toEqual([...map.keys()]);
      }
    }),
  );
});
