import type { Chunk } from "../../contracts/chunk.js";

/** The plan of one of several shards. */
export interface ChunkSource {
  readonly chunks: AsyncIterator<Chunk>;
  /** The plan has come to its end; with `error`, early. */
  onEnd(error?: unknown): void;
  /** The shard has been stopped. */
  readonly isStopped: () => boolean;
}

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
 * Merges the plans of several shards round-robin, so that all shards make progress. A plan that is slow (a cold disk) is
 * skipped until it has a chunk, and a plan that fails ends alone.
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
  // A Map keeps the order of insertion: the source that was served last goes to the end.
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
    // Not awaited: a disk that hangs must not keep the run from ending.
    for (const source of asked.keys()) void source.chunks.return?.().then(undefined, () => {});
  }
}
