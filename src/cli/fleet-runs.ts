import { setTimeout as sleep } from "node:timers/promises";
import { didYouMean } from "../base/nearest.js";
import { usageError } from "../config/flags.js";
import type { FleetControl, FleetRun } from "../contracts/fleet-control.js";

/** How often those who watch ask. */
export const LOOK_EVERY_MS = 1000;

/** The run of a name, or of the beginning of one. @throws KagurazakaError where there is none, or several */
export async function findRun(control: FleetControl, name: string): Promise<FleetRun> {
  const runs = await control.runs();
  const exact = runs.find(({ run }) => run === name);
  const similar = runs.filter(({ run }) => run.startsWith(name));
  if (exact) return exact;
  if (similar.length === 1) return similar[0]!;
  const names = runs.map(({ run }) => run);
  if (similar.length > 1)
    throw usageError(
      `"${name}" begins the names of ${similar.length} runs`,
      `They are ${similar.map(({ run }) => run).join(", ")}.`,
    );
  throw usageError(`there is no run "${name}".${didYouMean(name, names)}`, "kagurazaka status lists the runs.");
}

/** Waits for the end of a run, also where another takes it over. @param onLook called with each state */
export async function waitForEnd(
  control: FleetControl,
  name: string,
  onLook: (run: FleetRun) => void,
): Promise<FleetRun> {
  for (let followed = name; ; await sleep(LOOK_EVERY_MS)) {
    const run = await findRun(control, followed);
    onLook(run);
    if (run.state !== "ended") continue;
    if (run.takenOverBy === undefined) return run;
    followed = run.takenOverBy;
  }
}
