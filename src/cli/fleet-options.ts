import { KagurazakaError } from "../base/errors.js";
import { defineOptions, type OptionValues } from "../base/option-spec.js";
import type { FleetControl } from "../contracts/fleet-control.js";

/** Which fleet a command is about. */
export const fleetOptions = defineOptions({
  redis: { type: "string", placeholder: "URL", help: "The Redis of the fleet. KAGURAZAKA_REDIS serves for it." },
  redisPrefix: { type: "string", help: "What the names of the fleet's keys start with." },
  redisTimeout: { type: "duration", default: "10s", help: "How long Redis may take to answer." },
});

/** PLACEHOLDER: the fleet's own file takes its place. */
export async function openFleetControl(_values: OptionValues<typeof fleetOptions>): Promise<FleetControl> {
  throw new KagurazakaError("queue", "no queue can be reached yet");
}
