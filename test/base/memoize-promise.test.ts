import { expect, test } from "vitest";
import { memoizePromise } from "../../src/base/memoize-promise.js";

test("a promise is kept, one that rejected is made again", async () => {
  let calls = 0;
  const get = memoizePromise(async () => {
    if (++calls < 3) throw new Error(`call ${calls}`);
    return calls;
  });
  await expect(Promise.all([get(), get()])).rejects.toThrow("call 1");
  await expect(get()).rejects.toThrow("call 2");
  expect(await get()).toBe(3);
  expect(await get()).toBe(3);
  expect(calls).toBe(3);
});
