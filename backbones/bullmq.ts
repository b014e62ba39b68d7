import { defineBackbone } from "../src/kit.js";

/**
 * Many machines. Chunks wait in a queue in Redis (BullMQ), nodes take them (`kagurazaka worker`), and outcomes come back through
 * a stream. This file loads neither BullMQ nor a Redis client before it is chosen.
 */
export default defineBackbone({
  name: "bullmq",
  help: "Runs items on nodes, on this machine and others, through a queue in Redis. Start nodes with `kagurazaka worker`.",
  options: {
    redis: {
      type: "string",
      notEmpty: true,
      placeholder: "URL",
      help: "Where Redis is: redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// for TLS, redis-sentinel://HOST,HOST/NAME, redis-cluster://HOST,HOST. Default: the variable KAGURAZAKA_REDIS.",
    },
    redisPrefix: {
      type: "string",
      notEmpty: true,
      default: "kagurazaka",
      placeholder: "NAME",
      help: "Begins the name of every key. Fleets with different prefixes do not see each other. Default: kagurazaka.",
    },
    redisTimeout: {
      type: "duration",
      default: "2m",
      min: 1000,
      placeholder: "TIME",
      help: "Leave with exit code 75 when Redis has not answered for this time. The first connection is tried for 10 s at most. Default: 2m.",
    },
  },
  kinds: ["item", "batch"],
  openFleet: async (request) => (await import("./bullmq/coordinator.js")).openCoordinator(request),
  openNode: async (request) => (await import("./bullmq/node-link.js")).openNodeLink(request),
  openControl: async (options) => (await import("./bullmq/control.js")).openControl(options),
});
