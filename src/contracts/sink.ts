/**
 * The rows of one attempt for one sink, encoded in the worker by the sink's code. Outcomes carry frames to the coordinator,
 * which appends the bytes as they are.
 */
export interface SinkFrame {
  /** The sink's name in the task. */
  readonly sink: string;
  readonly bytes: Uint8Array;
  /** Number of records in the bytes. */
  readonly records: number;
}

/** Writes the frames of a hard shard, before the ledger records their items as done. */
export interface SinkWriter {
  /** Buffers the frames. */
  append(key: string, frames: readonly SinkFrame[]): void;
  /** Writes the buffered frames synchronously; throws where that fails. */
  flush(): void;
}
