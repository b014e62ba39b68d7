import { constants } from "node:os";
import { asKagurazakaError } from "../../base/errors.js";
import { escapeControls } from "../../base/text.js";
import type { BoardOptions, FleetBoard, FleetControl } from "../../contracts/fleet-control.js";
import { DEFAULT_HOST, DEFAULT_PORT, serveDashboard } from "../../dashboard/serve-dashboard.js";
import { defineCommand } from "../command.js";
import { fleetOptions, openFleetControl } from "../fleet-options.js";
import { messages } from "../message-out.js";
import { createPalette } from "../messages.js";

export const command = defineCommand({
  name: "dashboard",
  words: [],
  options: {
    ...fleetOptions,
    host: { type: "string", default: DEFAULT_HOST, notEmpty: true, help: "The address that it listens on." },
    port: { type: "integer", default: DEFAULT_PORT, min: 0, max: 65_535, help: "0: any port that is free." },
    allowCancel: { type: "boolean", default: false, help: "Its users may cancel runs. Else they only read." },
    allowHost: {
      type: "strings",
      placeholder: "NAME",
      help: "A name by which browsers may reach it, besides IP addresses, localhost and, where --host is not loopback, the name of this machine.",
    },
  },
  help: "Serves a page on which a fleet is watched: runs, workers, failures, rates. /metrics is for Prometheus, /api/state for scripts, /queues shows the queues in Redis (by bull-board, where @bull-board/api is installed). Ends by Ctrl-C.",
  notes: ["Example:\n  kagurazaka dashboard --redis redis://host:6379"],
  async run({ values }) {
    const { bold, yellow } = createPalette(messages);
    await using control = await openFleetControl(values);
    const mount = "/queues";
    await using board = await openBoard(control, { path: mount, allowChanges: values.allowCancel });
    await using dashboard = await serveDashboard({
      control,
      host: values.host,
      port: values.port,
      allowCancel: values.allowCancel,
      allowedHosts: values.allowHost ?? [],
      ...(board && { mount: { path: mount, handle: (req, res) => board.handle(req, res) } }),
      onWarning: (message) => messages.write(`${yellow("warning")} ${escapeControls(message)}\n`),
    });
    messages.write(`dashboard at ${bold(dashboard.url)}\n`);
    // A service manager stops it by SIGTERM, which is no failure.
    return (await firstSignal()) === "SIGINT" ? 128 + constants.signals.SIGINT : 0;
  },
});

/** The dashboard works without a board. One line says why there is none. */
async function openBoard(control: FleetControl, options: BoardOptions): Promise<FleetBoard | undefined> {
  try {
    return await control.openBoard?.(options);
  } catch (error) {
    const { message, hint } = asKagurazakaError(error);
    messages.write(`no page at ${options.path}: ${escapeControls(message)}. ${hint ?? ""}\n`);
    return undefined;
  }
}

/** The next signal ends the process at once, as by default. */
async function firstSignal(): Promise<NodeJS.Signals> {
  const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  return new Promise((resolve) => {
    const take = (signal: NodeJS.Signals): void => {
      for (const one of signals) process.off(one, take);
      resolve(signal);
    };
    for (const one of signals) process.on(one, take);
  });
}
