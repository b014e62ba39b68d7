import { findSourceMap } from "node:module";
import { fileURLToPath } from "node:url";

interface Frame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number };
}

const ANSWER_WITHIN_MS = 1000;
const MAX_FRAMES = 12;

/**
 * The current stack of a worker thread of this process, as lines `at f (file:line)`. Works with a blocked loop as well: the
 * inspector pauses the thread for a moment. Undefined when the thread runs no JavaScript or has ended.
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
        // `workerId` is a number of the inspector; the thread's id is in the title.
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
    // Cancels a pending pause: a waiting thread would stop for good when it wakes up.
    send(4, "Debugger.disable");
    session.post("NodeWorker.disable");
    session.disconnect();
  }
}

function formatFrames(frames: readonly Frame[], scripts: ReadonlyMap<string, string>): string | undefined {
  const lines = frames.flatMap(({ functionName, location }) => {
    const position = positionOf(scripts.get(location.scriptId) ?? "", location);
    return position === undefined ? [] : `at ${functionName || "<anonymous>"} (${position})`;
  });
  return lines.length === 0 ? undefined : lines.slice(0, MAX_FRAMES).join("\n");
}

/** `file:line:column` in the original source; undefined for Node's internals. */
function positionOf(url: string, { lineNumber, columnNumber }: Frame["location"]): string | undefined {
  if (!url.startsWith("file:")) return undefined;
  const entry = findSourceMap(fileURLToPath(url))?.findEntry(lineNumber, columnNumber);
  if (entry && "originalSource" in entry) {
    const source = entry.originalSource;
    return `${source.startsWith("file:") ? fileURLToPath(source) : source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  }
  return `${fileURLToPath(url)}:${lineNumber + 1}:${columnNumber + 1}`;
}
