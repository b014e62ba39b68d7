import { describe, it } from "vitest";
import { testFleet } from "../../dist/src/testing.js";
import { startRedis } from "../support/redis.js";

/** The built-in fleet, over a real Redis for each case. */
describe("bullmq", () =>
  testFleet({
    it,
    module: "bullmq",
    async openQueue() {
      const redis = await startRedis();
      return { options: { redis: redis.url, redisTimeout: "2s" }, close: () => redis.close() };
    },
  }));
