/**
 * Rows that one attempt of an item gave to one sink: bytes already encoded by the sink's own code in the worker, which the
 * coordinator appends without looking inside. Outcomes carry frames.
 */
export interface SinkFrame {
  /** The sink's name in the task. */
  readonly sink: string;
  readonly bytes: Uint8Array;
  /** How many records the bytes hold. */
  readonly records: number;
}

/** Where the recorder puts frames of a hard shard. Their bytes are on file before the ledger says that the item is done. */
export interface SinkWriter {
  /** Buffers. */
  append(key: string, frames: readonly SinkFrame[]): void;
  /** Writes what was appended, synchronously; throws where that fails. */
  flush(): void;
}
