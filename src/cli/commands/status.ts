import { setTimeout as sleep } from "node:timers/promises";
import type { FleetRun } from "../../contracts/fleet-control.js";
import { defineCommand } from "../command.js";
import { fleetOptions, openFleetControl } from "../fleet-options.js";
import { findRun, LOOK_EVERY_MS, waitForEnd } from "../fleet-runs.js";
import { formatRun, formatRuns } from "../fleet-tables.js";
import { createPalette } from "../messages.js";
import { dataOut, printJson } from "../stdout.js";

export const command = defineCommand({
  name: "status",
  words: ["[RUN]"],
  options: {
    ...fleetOptions,
    watch: { type: "boolean", default: false, help: "Show it again every second; a single run until it ends." },
    json: { type: "boolean", default: false, help: "Print JSON; with --watch one line each time." },
  },
  help: "Shows the runs of a fleet, or one of them: what is done, what has failed, what runs for the longest time. The beginning of a run's name is enough.",
  notes: ["Example:\n  kagurazaka status --redis redis://host:6379 --watch"],
  async run({ words: [name], values }) {
    await using control = await openFleetControl(values);
    const palette = createPalette(process.stdout);
    const isTerminal = process.stdout.isTTY && !values.json;
    const show = (found: FleetRun | readonly FleetRun[]): void => {
      if (values.json) return printJson(found);
      const text = isOne(found) ? formatRun(found, palette) : formatRuns(found, palette);
      dataOut().write(values.watch && isTerminal ? `\x1b[H\x1b[J${text}` : text);
    };
    if (name !== undefined && values.watch) await waitForEnd(control, name, show);
    else if (name !== undefined) show(await findRun(control, name));
    else show(await control.runs());
    for (; name === undefined && values.watch; show(await control.runs())) await sleep(LOOK_EVERY_MS);
    return 0;
  },
});

const isOne = (found: FleetRun | readonly FleetRun[]): found is FleetRun => "run" in found;
