import { defineCommand } from "../command.js";
import { fleetOptions, openFleetControl } from "../fleet-options.js";
import { formatNodes } from "../fleet-tables.js";
import { createPalette } from "../messages.js";
import { dataOut, printJson } from "../stdout.js";

export const command = defineCommand({
  name: "workers",
  words: [],
  options: { ...fleetOptions, json: { type: "boolean", default: false, help: "Print JSON." } },
  help: "Shows the nodes of a fleet: what they work for, how many items run there, speed, memory, version.",
  notes: ["Example:\n  kagurazaka workers --redis redis://host:6379"],
  async run({ values }) {
    await using control = await openFleetControl(values);
    const nodes = await control.nodes();
    if (values.json) printJson(nodes);
    else dataOut().write(formatNodes(nodes, createPalette(process.stdout)));
    return 0;
  },
});
