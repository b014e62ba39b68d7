import { Queue } from "bullmq";
import { type BoardOptions, type FleetBoard, KagurazakaError } from "../../src/kit.js";
import { BoardServer } from "./board-server.js";
import { keysOf, RUN_NAME } from "./keys.js";
import type { RedisConnections } from "./redis.js";

/** Each queue costs some commands at each look. */
const MAX_QUEUES = 100;

/** bull-board over the queues of open runs. A run's queue comes with the run and goes with it. */
export async function openBoard(redis: RedisConnections, options: BoardOptions): Promise<FleetBoard> {
  const { createBullBoard, BullMQAdapter } = await loadBullBoard();
  const keys = keysOf(redis.prefix);
  const queues = new Map<string, { queue: Queue; adapter: InstanceType<typeof BullMQAdapter> }>();
  let following: Promise<void> | undefined;

  async function follow(): Promise<void> {
    const open = (await redis.main.smembers(keys.open)).filter((run) => RUN_NAME.test(run));
    const runs = open.sort().slice(-MAX_QUEUES);
    for (const run of runs) if (!queues.has(run)) queues.set(run, await openQueue(run));
    const gone = [...queues].filter(([run]) => !runs.includes(run));
    for (const [run] of gone) queues.delete(run);
    board.replaceQueues([...queues.values()].map(({ adapter }) => adapter));
    for (const [, { queue }] of gone) void queue.close().catch(() => {});
  }

  async function openQueue(run: string) {
    const task = (await redis.main.hget(keys.run(run), "task")) ?? "";
    const queue = new Queue(run, {
      connection: redis.main as never,
      prefix: keys.queuePrefix,
      // To look changes nothing.
      skipMetasUpdate: true,
    });
    // Failures show where a command is awaited; an event without a listener would end the process.
    queue.on("error", () => {});
    const adapter = new BullMQAdapter(queue, {
      readOnlyMode: !options.allowChanges,
      description: `Chunks of items for ${task.slice(0, 200)}`,
    });
    return { queue, adapter };
  }

  const server = new BoardServer(options.path, () => {
    following ??= follow().finally(() => {
      following = undefined;
    });
    return following;
  });
  const board = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: "kagurazaka queues",
        hideDocsLink: true,
        // Nodes are on the dashboard. To list them here takes CLIENT LIST, which some servers forbid.
        showWorkers: false,
        miscLinks: [{ text: "Dashboard", url: "/" }],
      },
    },
  });
  return {
    handle: (req, res) => server.handle(req, res),
    async [Symbol.asyncDispose]() {
      await Promise.all([...queues.values()].map(({ queue }) => queue.close().catch(() => {})));
    },
  };
}

/** bull-board is no dependency, for few need it. */
async function loadBullBoard() {
  try {
    const [{ createBullBoard }, { BullMQAdapter }] = await Promise.all([
      import("@bull-board/api"),
      import("@bull-board/api/bullMQAdapter"),
    ]);
    return { createBullBoard, BullMQAdapter };
  } catch (error) {
    if (!/MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? "")) throw error;
    throw new KagurazakaError("environment", "the page of the queues needs the package @bull-board/api", {
      hint: "Install it beside kagurazaka: npm install @bull-board/api@9.10.1",
      cause: error,
    });
  }
}
