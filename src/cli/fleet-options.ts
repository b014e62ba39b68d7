import { KagurazakaError } from "../base/errors.js";
import { defineOptions, type OptionValues } from "../base/option-spec.js";
import { loadBuiltin } from "../builtins.js";
import { isFleetBackbone } from "../contracts/backbone.js";
import type { FleetControl } from "../contracts/fleet-control.js";

const FLEET = "bullmq";

/** Which fleet a command is about. The same names and meanings as the flags of the backbone. */
export const fleetOptions = defineOptions({
  redis: {
    type: "string",
    notEmpty: true,
    placeholder: "URL",
    help: "Where Redis is: redis://[USER:PASSWORD@]HOST[:PORT][/DB], or rediss:// for TLS. Default: the variable KAGURAZAKA_REDIS.",
  },
  redisPrefix: {
    type: "string",
    notEmpty: true,
    default: "kagurazaka",
    placeholder: "NAME",
    help: "Begins the name of every key. Default: kagurazaka.",
  },
  redisTimeout: {
    type: "duration",
    default: "2m",
    min: 1000,
    placeholder: "TIME",
    help: "Leave with exit code 75 when Redis has not answered for this time. The first connection is tried for 10 s at most. Default: 2m.",
  },
});

type FleetValues = OptionValues<typeof fleetOptions>;

/** The fleet's options as code gives them. Durations are written with a unit there. */
export const writtenFleetOptions = ({ redis, redisPrefix, redisTimeout }: FleetValues): Record<string, unknown> => ({
  redis,
  redisPrefix,
  redisTimeout: `${redisTimeout}ms`,
});

export async function openFleetControl({ redis, redisPrefix, redisTimeout }: FleetValues): Promise<FleetControl> {
  const fleet = await loadBuiltin("backbones", FLEET);
  if (!fleet || !isFleetBackbone(fleet) || !fleet.openControl)
    throw new KagurazakaError("internal", `${FLEET} cannot be watched`);
  return fleet.openControl({ redis, redisPrefix, redisTimeout });
}
