import { posix } from "node:path";
import { nextTurn } from "../../base/clock.js";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import type { Item } from "../../contracts/item.js";
import type { ListEnv, ResolvedModes } from "../../contracts/modes.js";
import type { OwnOutputs } from "./own-outputs.js";

interface ListingRequest {
  readonly mode: NonNullable<ResolvedModes["inputMode"]>;
  readonly inputRoot: string;
  readonly shard: number;
  readonly leaveOut: readonly string[];
  /** Outputs of the task that lie among its inputs; undefined where none can. */
  readonly ownOutputs: OwnOutputs | undefined;
  readonly signal: AbortSignal;
  warn(message: string): void;
  /** A directory that cannot be listed: its key, and an item in its place. */
  onUnreadable(key: string, item: Item, error: KagurazakaError): void;
}

const MAX_TURN_MS = 10;

/** The items of an input mode without the task's own outputs. Warns at its end of what was passed over. */
export async function* listInput(request: ListingRequest): AsyncGenerator<readonly Item[]> {
  const { mode, ownOutputs } = request;
  const { definition, fields } = mode;
  const passedOver = new Map<string, { count: number; first: string }>();
  const env = createEnv(request, (relPath, why) => {
    if (why === "hidden") return;
    const known = passedOver.get(why);
    if (known) known.count++;
    else passedOver.set(why, { count: 1, first: relPath });
  });
  try {
    if (ownOutputs && definition.readsInputRoot) await addListed(ownOutputs, request);
    for await (const items of definition.list(fields, env)) {
      yield ownOutputs === undefined ? items : items.filter((item) => isInput(item, ownOutputs));
    }
  } finally {
    for (const [why, { count, first }] of passedOver) request.warn(describe(why, count, first));
    if (ownOutputs && ownOutputs.count > 0) {
      const files = ownOutputs.count === 1 ? "1 file is an output" : `${ownOutputs.count} files are outputs`;
      request.warn(`${files} of this task and passed over as input: ${nameOf(ownOutputs.first, ownOutputs.count)}`);
    }
  }
}

/** In a list that is read once, an item counts from its line on. */
function isInput(item: Item, ownOutputs: OwnOutputs): boolean {
  ownOutputs.addItem(item);
  return !ownOutputs.hasItem(item);
}

/** Lists the input once before, because an output may come before the file that it is made from. */
async function addListed(ownOutputs: OwnOutputs, request: ListingRequest): Promise<void> {
  const { definition, fields } = request.mode;
  const silent = { ...request, ownOutputs: undefined, warn: () => {}, onUnreadable: () => {} };
  let turnStarted = performance.now();
  try {
    for await (const items of definition.list(
      fields,
      createEnv(silent, () => {}),
    )) {
      for (const item of items) ownOutputs.addItem(item);
      if (performance.now() - turnStarted < MAX_TURN_MS) continue;
      await nextTurn();
      turnStarted = performance.now();
    }
  } catch (error) {
    // What else goes wrong goes wrong again when the input is listed for the plan.
    if (request.signal.aborted) throw error;
  }
}

function createEnv(request: ListingRequest, onPassedOver: ListEnv["walk"]["onPassedOver"]): ListEnv {
  const { inputRoot, shard, leaveOut, ownOutputs, signal, warn } = request;
  const onUnreadable = (relDir: string, cause: unknown): void => {
    const path = posix.join(inputRoot, relDir);
    const gone = (cause as NodeJS.ErrnoException).code === "ENOENT" ? ": it vanished while the input was listed" : "";
    const error = new KagurazakaError(
      "unreadable",
      `cannot list the directory ${path}${gone || `: ${toErrorRecord(cause).message}`}`,
      {
        hint: "Its files are not processed. Make it readable, or move it out of the input root; then run again.",
        cause,
      },
    );
    const rel_dir = posix.dirname(relDir);
    const item = { input: { file_name: posix.basename(relDir), rel_dir, root: shard } };
    request.onUnreadable(`${relDir}/`, item, error);
  };
  return {
    inputRoot,
    root: shard,
    leaveOut,
    signal,
    walk: { root: inputRoot, leaveOut, signal, onPassedOver, onUnreadable },
    isOutput: (relPath) => ownOutputs?.hasFile(relPath) ?? false,
    warn,
  };
}

const advice: Readonly<Record<string, readonly [one: string, many: string, what: string]>> = {
  "a symbolic link to a directory": [
    "symbolic link to a directory is not followed",
    "symbolic links to directories are not followed",
    "Run again with the link as the input root, or name the files behind it with --files-from.",
  ],
  "a symbolic link to nothing": [
    "symbolic link leads to nothing and is passed over",
    "symbolic links lead to nothing and are passed over",
    "Mend or remove it.",
  ],
  "neither file nor directory": [
    "name is neither a file nor a directory and is passed over",
    "names are neither files nor directories and are passed over",
    "",
  ],
};

function describe(why: string, count: number, first: string): string {
  const [one, many, what] = advice[why] ?? [`name is passed over: ${why}`, `names are passed over: ${why}`, ""];
  return `${count} ${count === 1 ? one : many}: ${nameOf(first, count)}${what === "" ? "" : `. ${what}`}`;
}

const nameOf = (first: string, count: number): string => `${JSON.stringify(first)}${count > 1 ? " and others" : ""}`;
