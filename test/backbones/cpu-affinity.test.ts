import { expect, test } from "vitest";
import { openCpuShares, parseCpus } from "../../backbones/mp/cpu-affinity.js";

test("lists of processors", () => {
  expect(parseCpus("0,1")).toEqual([0, 1]);
  expect(parseCpus("0-3,8, 2")).toEqual([0, 1, 2, 3, 8]);
  expect(parseCpus("[4,5]")).toEqual([4, 5]);
});

test("the processor whose worker has ended is the next to be given", () => {
  const shares = openCpuShares([3, 5])!;
  expect([shares.take(), shares.take(), shares.take(), shares.take()]).toEqual([3, 5, 3, 5]);
  shares.giveBack(5);
  expect([shares.take(), shares.take()]).toEqual([5, 3]);
});
