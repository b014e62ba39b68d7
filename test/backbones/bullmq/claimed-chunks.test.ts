import { expect, test } from "vitest";
import { ClaimedChunks } from "../../../backbones/bullmq/claimed-chunks.js";

test("a chunk whose lock has ended is lost three seconds later, if no node claims it", () => {
  const claims = new ClaimedChunks();
  claims.suspect(7, 0);
  expect(claims.lostChunks(2999)).toEqual([]);
  expect(claims.lostChunks(3000)).toEqual([7]);
  expect(claims.lostChunks(9000)).toEqual([]);
});

test("one that a living node claims is not, until that node has been silent for fifteen seconds", () => {
  const claims = new ClaimedChunks();
  claims.suspect(7, 0);
  claims.claim("a", [7], 1000);
  expect(claims.lostChunks(10_000)).toEqual([]);
  claims.claim("a", [7], 11_000);
  expect(claims.lostChunks(25_999)).toEqual([]);
  expect(claims.lostChunks(26_000)).toEqual([7]);
});

test("a node that was not heard of for fifteen seconds is gone, once", () => {
  const claims = new ClaimedChunks();
  claims.claim("a", [], 0);
  claims.claim("b", [], 9000);
  expect([claims.goneNodes(15_000), claims.nodes]).toEqual([[], 2]);
  expect([claims.goneNodes(15_001), claims.nodes]).toEqual([["a"], 1]);
  expect(claims.goneNodes(15_002)).toEqual([]);
});

test("a chunk that is suspected or was claimed a moment ago is not sent again as missing", () => {
  const claims = new ClaimedChunks();
  claims.suspect(1, 0);
  claims.claim("a", [2], 0);
  expect([1, 2, 3].map((chunk) => claims.isKnown(chunk, 1000))).toEqual([true, true, false]);
  expect(claims.isKnown(2, 3000)).toBe(false);
});
