import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fingerprintHigh,
  fingerprintLow,
  hashAsciiBytes,
  hashHex,
  hashText,
  hashUnit,
  sha256Hex,
  shardOf,
} from "../../src/base/hash.js";

/** From the reference implementation: Python's mmh3, `hash_bytes(text.encode("utf-16le"), 0, x64arch=False)`, as four little-endian words. */
const golden: [string, string][] = [
  ["", "00000000000000000000000000000000"],
  ["a", "033bb196ccef4fe1ccef4fe1ccef4fe1"],
  ["ab", "260fb953af22b6fdaf22b6fdaf22b6fd"],
  ["abc", "2b5b97a320f75fb55012c2b45012c2b4"],
  ["abcd", "95ef82c7e4ec9aa20a8cb00d0a8cb00d"],
  ["hello, world", "a852c8b9fdc4dd348d5ff2b878131e89"],
  ["0123456789abcdef", "2dd97cc7ff437be3c0c16429c3056564"],
  ["dir/sub dir/file-000123.txt", "78982fe7c4c0781edf673324453dc335"],
  ["日本語/キー.txt", "5a0327c20091b143f1df6caad141a6e0"],
  ["🦄x", "e58b9c1f78345a88812ea27a812ea27a"],
  ["x".repeat(39), "69c1d825938d56db4b0dc747fb35643a"],
  ["The quick brown fox jumps over the lazy dog", "15beb6860f94f6cafed4894d28be6d5b"],
];

const keys = Array.from({ length: 200_000 }, (_, i) => `part-${i % 97}/file-${i}.txt`);

/** Pearson's statistic over equally likely cells; its mean is cells - 1, its deviation sqrt(2 (cells - 1)). */
function chiSquare(counts: ArrayLike<number>): number {
  const total = Array.from(counts).reduce((a, b) => a + b, 0);
  const expected = total / counts.length;
  return Array.from(counts).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function expectUniform(counts: ArrayLike<number>): void {
  const freedom = counts.length - 1;
  expect(Math.abs(chiSquare(counts) - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom));
}

describe("hash", () => {
  test.each(golden)("%j hashes as the reference implementation says", (text, hex) => {
    expect(hashHex(text)).toBe(hex);
  });

  test("ASCII bytes hash as the same text does, wherever they lie", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 60 }), fc.nat(9), (text, before) => {
        const bytes = Buffer.from("~".repeat(before) + text + "rest", "latin1");
        const fromBytes = [...hashAsciiBytes(bytes, before, before + text.length)];
        expect(fromBytes).toEqual([...hashText(text)]);
      }),
      { seed: 1 },
    );
  });

  test("hashUnit is uniform in [0, 1)", () => {
    const counts = new Uint32Array(100);
    for (const key of keys) counts[Math.floor(hashUnit(key) * 100)]!++;
    expectUniform(counts);
  });

  test("shards are of even size, whatever their number", () => {
    for (const of of [1, 2, 3, 7, 64]) {
      const counts = new Uint32Array(of);
      for (const key of keys) counts[shardOf(key, of)]!++;
      if (of > 1) expectUniform(counts);
    }
  });

  test("a sample, a shard and a place in a table are independent of each other", () => {
    const counts = new Uint32Array(4 * 4 * 4 * 4);
    for (const key of keys) {
      const unit = Math.floor(hashUnit(key) * 4);
      const shard = shardOf(key, 4);
      const hash = hashText(key);
      counts[((unit * 4 + shard) * 4 + (fingerprintLow(hash) & 3)) * 4 + (fingerprintHigh(hash) >>> 30)]!++;
    }
    expectUniform(counts);
  });

  test.each([1, 2, 3])("sample and shard are independent for keys of %i characters too", (length) => {
    const counts = new Uint32Array(16);
    const side = [60_000, 250, 40][length - 1]!;
    for (let i = 0; i < side ** length; i++) {
      const units = [i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2)].slice(0, length);
      const key = String.fromCharCode(...units.map((unit) => 0x21 + unit));
      counts[Math.floor(hashUnit(key) * 4) * 4 + shardOf(key, 4)]!++;
    }
    expectUniform(counts);
  });

  test("fingerprints tell all keys of one or two characters apart", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 0x300; i++) {
      for (let j = 0; j < 0x100; j++) {
        const hash = hashText(String.fromCharCode(i, j));
        seen.add(`${fingerprintLow(hash)}:${fingerprintHigh(hash)}`);
      }
    }
    expect(seen.size).toBe(0x300 * 0x100);
  });

  test("sha256Hex is SHA-256", () => {
    expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});
