import { setTimeout as sleep } from "node:timers/promises";
import { didYouMean } from "../base/nearest.js";
import { usageError } from "../config/flags.js";
import type { FleetControl, FleetRun } from "../contracts/fleet-control.js";

/** How often those who watch ask. */
export const LOOK_EVERY_MS = 1000;
/** A run that has been seen may be gone from the queue for so long. */
const MAX_MISSING_MS = 15_000;

/** The run of a name, or of the beginning of one. @throws KagurazakaError where there is none, or several */
export async function findRun(control: FleetControl, name: string): Promise<FleetRun> {
  const exact = await control.run(name);
  if (exact) return exact;
  const runs = await control.runs();
  const similar = runs.filter(({ run }) => run.startsWith(name));
  if (similar.length === 1) return similar[0]!;
  const names = runs.map(({ run }) => run);
  if (similar.length > 1)
    throw usageError(
      `"${name}" begins the names of ${similar.length} runs`,
      `They are ${similar.map(({ run }) => run).join(", ")}.`,
    );
  throw usageError(`there is no run "${name}".${didYouMean(name, names)}`, "kagurazaka status lists the runs.");
}

/**
 * Waits for the end of a run, also where another takes it over.
 * @param name the whole name, or the beginning of one. @param onLook called with each state
 */
export async function waitForEnd(
  control: FleetControl,
  name: string,
  onLook: (run: FleetRun) => void,
): Promise<FleetRun> {
  let run = await findRun(control, name);
  for (let seenMs = performance.now(); ; await sleep(LOOK_EVERY_MS)) {
    onLook(run);
    if (run.state === "ended" && run.takenOverBy === undefined) return run;
    const next = await control.run(run.takenOverBy ?? run.run);
    // A queue that was emptied learns of its runs again from their coordinators.
    if (next === undefined && performance.now() - seenMs > MAX_MISSING_MS) return findRun(control, run.run);
    if (next === undefined) continue;
    run = next;
    seenMs = performance.now();
  }
}
