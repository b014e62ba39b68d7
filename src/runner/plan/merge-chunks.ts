import type { Chunk } from "../../contracts/chunk.js";

/** One of several plans that are served side by side. */
export interface ChunkSource {
  readonly chunks: AsyncIterator<Chunk>;
  /** Its list has come to its end; with `error`, before its end. */
  onEnd(error?: unknown): void;
  /** Nothing more of it is wanted. */
  readonly isStopped: () => boolean;
}

/** One alone needs no turns. */
async function* served({ chunks, isStopped, onEnd }: ChunkSource): AsyncGenerator<Chunk> {
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      if (isStopped()) return;
      yield next.value;
    }
  } catch (error) {
    return onEnd(error ?? new Error("the plan failed"));
  } finally {
    await chunks.return?.();
  }
  onEnd();
}

/**
 * Serves several plans in turn, so that all shards move on together. A slow one (a cold disk) holds nobody up: it is passed
 * over until it has something. One that fails ends alone.
 */
export async function* mergeChunks(sources: readonly ChunkSource[]): AsyncGenerator<Chunk> {
  const ask = async (source: ChunkSource) => {
    try {
      return { source, result: await source.chunks.next() };
    } catch (error) {
      return { source, error };
    }
  };
  type Answer = Awaited<ReturnType<typeof ask>>;
  const [only] = sources;
  if (only && sources.length === 1) return yield* served(only);
  // A Map keeps the order in which they were asked last: who was served goes to the end.
  const asked = new Map<ChunkSource, Promise<Answer>>();
  for (const source of sources) asked.set(source, ask(source));
  try {
    while (asked.size > 0) {
      const answer = await Promise.race(asked.values());
      const { source } = answer;
      asked.delete(source);
      if (!answer.result) {
        source.onEnd(answer.error ?? new Error("the plan failed"));
      } else if (answer.result.done) {
        source.onEnd();
      } else if (source.isStopped()) {
        await source.chunks.return?.();
      } else {
        asked.set(source, ask(source));
        yield answer.result.value;
      }
    }
  } finally {
    // Not waited for: a disk that hangs must not keep the run from its end.
    for (const source of asked.keys()) void source.chunks.return?.().then(undefined, () => {});
  }
}
