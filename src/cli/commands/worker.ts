import type { Socket } from "node:net";
import { constants } from "node:os";
import { escapeControls } from "../../base/text.js";
import { serveRuns } from "../../runner/run-worker.js";
import { defineCommand } from "../command.js";
import { fleetOptions, writtenFleetOptions } from "../fleet-options.js";
import { hardExit } from "../hard-exit.js";
import { messages } from "../message-out.js";
import { createPalette } from "../messages.js";

export const command = defineCommand({
  name: "worker",
  words: [],
  takes: "run",
  options: {
    ...fleetOptions,
    inner: {
      type: "string",
      default: "mp",
      placeholder: "NAME",
      help: "The backbone that runs items on this machine. Default: mp.",
    },
    name: {
      type: "string",
      notEmpty: true,
      placeholder: "NAME",
      help: "The node's name, unique in the fleet. Default: host, process id and a random part.",
    },
    once: { type: "boolean", default: false, help: "Leave after one run." },
    idleExit: {
      type: "duration",
      min: 1000,
      placeholder: "TIME",
      help: "Leave after this time without a run (5m). Default: stay.",
    },
    allowCodeDrift: {
      type: "boolean",
      default: false,
      help: "Work also for runs whose task file differs from the one here.",
    },
  },
  help: "Works as a node of a fleet: takes items of runs of the task from Redis, and runs them on all cores of this machine. Flags of the inner backbone (--num_process 16) and values that differ here (--in, --out, --mixin) follow the task. SIGTERM lets running items finish and gives the others back.",
  notes: ["Example:\n  kagurazaka worker task.ts MyTask --redis redis://host:6379 --num_process 16"],
  async run({ values, run: input }) {
    const { bold, dim, yellow } = createPalette(messages);
    const { inner, name, once, idleExit: idleExitMs, allowCodeDrift } = values;
    const say = (text: string): void => messages.write(`${text}\n`);
    const stop = stopSignals((signal) =>
      say(`${signal}: running items may finish, the others go back; once more to end now`),
    );
    await serveRuns(input, {
      fleetOptions: writtenFleetOptions(values),
      inner,
      name,
      once,
      idleExitMs,
      allowCodeDrift,
      signal: stop.signal,
      onReady: (node) =>
        say(
          `node ${bold(node.name)} waits for runs of ${escapeControls(node.task)} (${node.backbone}, ${node.slots} ${node.slots === 1 ? "item" : "items"} at once)`,
        ),
      onRun: (run, node) =>
        say(run === undefined ? dim(`the run is over; ${node.settled} items settled so far`) : `works for run ${run}`),
      onWarning: (message) => say(`${yellow("warning")} ${escapeControls(message)}`),
    });
    return stop.exitCode();
  },
});

/** The first signal lets the node leave in order, the second one ends it. A process that started this one beside it ends it as well. */
function stopSignals(onFirst: (signal: NodeJS.Signals) => void): { signal: AbortSignal; exitCode(): number } {
  const abort = new AbortController();
  let first: NodeJS.Signals | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (first !== undefined) hardExit(128 + constants.signals[name]);
      first = name;
      onFirst(name);
      abort.abort();
    });
  if (process.env.KAGURAZAKA_BESIDE !== undefined) {
    process.stdin.on("end", () => abort.abort()).resume();
    (process.stdin as Socket).unref?.();
  }
  // A service manager stops a node by SIGTERM, which is no failure.
  return { signal: abort.signal, exitCode: () => (first === "SIGINT" ? 128 + constants.signals.SIGINT : 0) };
}
