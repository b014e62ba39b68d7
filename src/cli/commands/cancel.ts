import { defineCommand } from "../command.js";
import { fleetOptions, openFleetControl } from "../fleet-options.js";
import { findRun } from "../fleet-runs.js";
import { messages } from "../message-out.js";

export const command = defineCommand({
  name: "cancel",
  words: ["RUN"],
  options: fleetOptions,
  help: "Stops a run of a fleet as Ctrl-C does: running items may finish within --grace, the others are given up. The same command goes on from there.",
  notes: ["Example:\n  kagurazaka cancel 20261129T101500Z-1f9c3a"],
  async run({ words: [name], values }) {
    await using control = await openFleetControl(values);
    const { run, state } = await findRun(control, name!);
    const isAsked = await control.cancel(run);
    const how =
      state === "orphaned"
        ? "is cancelled. Its coordinator is gone: the same command records what was done"
        : "is asked to stop";
    messages.write(`run ${run} ${isAsked ? how : "has ended already"}\n`);
    return 0;
  },
});
