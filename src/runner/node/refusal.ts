import { type ErrorRecord, toErrorRecord } from "../../base/errors.js";
import type { FleetJob } from "../../contracts/fleet.js";

/** Shorter values are in many words. */
const MIN_LENGTH = 3;

/**
 * Why a node cannot work for a run, as the queue gets it. The run's options may name variables of this machine's environment;
 * their values stay here.
 */
export function refusalOf(error: unknown, { task: { config } }: FleetJob): ErrorRecord {
  const named = new Set([...JSON.stringify(config).matchAll(/oc\.env:\s*([^,}\s"\\]+)/g)].map(([, name]) => name!));
  const hide = (text: string): string => {
    let hidden = text;
    for (const name of named) {
      const value = process.env[name] ?? "";
      if (value.length >= MIN_LENGTH) hidden = hidden.replaceAll(value, `\${oc.env:${name}}`);
    }
    return hidden;
  };
  const inRecord = ({ message, hint, stack, cause, ...rest }: ErrorRecord): ErrorRecord => ({
    ...rest,
    message: hide(message),
    ...(hint === undefined ? {} : { hint: hide(hint) }),
    ...(stack === undefined ? {} : { stack: hide(stack) }),
    ...(cause === undefined ? {} : { cause: inRecord(cause) }),
  });
  return inRecord(toErrorRecord(error));
}
