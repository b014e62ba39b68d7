import { findSourceMap } from "node:module";
import { fileURLToPath } from "node:url";

interface Frame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number };
}

const ANSWER_WITHIN_MS = 1000;
const MAX_FRAMES = 12;

/**
 * What a worker thread of this process is doing right now, as lines `at f (file:line)`, blocked loop or not: the inspector
 * interrupts it for a moment. Undefined when the thread runs no JavaScript (it waits) or has ended.
 */
export async function threadStack(threadId: number): Promise<string | undefined> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  let worker = "";
  const send = (id: number, method: string): void => {
    if (worker !== "")
      session.post("NodeWorker.sendMessageToWorker", { sessionId: worker, message: JSON.stringify({ id, method }) });
  };
  try {
    return await new Promise<string | undefined>((resolve) => {
      setTimeout(resolve, ANSWER_WITHIN_MS, undefined);
      const scripts = new Map<string, string>();
      session.on("NodeWorker.attachedToWorker", ({ params }) => {
        // The title holds the thread's id; `workerId` is a number of the inspector's own.
        if (!params.workerInfo.title.startsWith(`[worker ${threadId}]`)) return;
        worker = params.sessionId;
        send(1, "Debugger.enable");
        send(2, "Debugger.pause");
      });
      session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => {
        if (params.sessionId !== worker) return;
        const message = JSON.parse(params.message);
        if (message.method === "Debugger.scriptParsed") scripts.set(message.params.scriptId, message.params.url);
        if (message.method !== "Debugger.paused") return;
        send(3, "Debugger.resume");
        resolve(formatFrames(message.params.callFrames, scripts));
      });
      session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
    });
  } finally {
    // Takes back a pause that a waiting thread would otherwise fall into, for good, when it next wakes up.
    send(4, "Debugger.disable");
    session.post("NodeWorker.disable");
    session.disconnect();
  }
}

function formatFrames(frames: readonly Frame[], scripts: ReadonlyMap<string, string>): string | undefined {
  const lines = frames
    .map(({ functionName, location }) => ({
      functionName,
      place: placeOf(scripts.get(location.scriptId) ?? "", location),
    }))
    .filter(({ place }) => place !== undefined)
    .map(({ functionName, place }) => `at ${functionName || "<anonymous>"} (${place})`);
  return lines.length === 0 ? undefined : lines.slice(0, MAX_FRAMES).join("\n");
}

/** In the author's own lines; nothing for Node's internals. */
function placeOf(url: string, { lineNumber, columnNumber }: Frame["location"]): string | undefined {
  if (!url.startsWith("file:")) return undefined;
  const entry = findSourceMap(fileURLToPath(url))?.findEntry(lineNumber, columnNumber);
  if (entry && "originalSource" in entry) {
    const source = entry.originalSource;
    return `${source.startsWith("file:") ? fileURLToPath(source) : source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  }
  return `${fileURLToPath(url)}:${lineNumber + 1}:${columnNumber + 1}`;
}
