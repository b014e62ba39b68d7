import { defineCommand } from "../command.js";
import { fleetOptions, openFleetControl } from "../fleet-options.js";
import { waitForEnd } from "../fleet-runs.js";
import { formatRun } from "../fleet-tables.js";
import { messages } from "../message-out.js";
import { createPalette } from "../messages.js";
import { printJson } from "../stdout.js";

export const command = defineCommand({
  name: "wait",
  words: ["RUN"],
  options: { ...fleetOptions, json: { type: "boolean", default: false, help: "Print the run as JSON at its end." } },
  help: "Waits until a run of a fleet has ended, and exits with its code. Where another run has taken it over, it waits for that one.",
  notes: ["Example:\n  kagurazaka wait 20261129T101500Z-1f9c3a && echo finished"],
  async run({ words: [name], values }) {
    await using control = await openFleetControl(values);
    let isTold = false;
    const run = await waitForEnd(control, name!, ({ state, run: id }) => {
      if (state === "orphaned" && !isTold)
        messages.write(`the coordinator of run ${id} is gone; the same command takes it over\n`);
      isTold = state === "orphaned";
    });
    if (values.json) printJson(run);
    else messages.write(formatRun(run, createPalette(messages)));
    return run.report?.exitCode ?? 1;
  },
});
