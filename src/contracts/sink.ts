/**
 * What a worker hands to a sink for one item: bytes already encoded by the sink's own code in the worker, which the
 * coordinator appends to a part without looking inside. Sinks come with their own issue; outcomes carry the place for it.
 */
export interface SinkFrame {
  /** The sink's name in the task. */
  readonly sink: string;
  readonly bytes: Uint8Array;
  /** How many records the bytes hold. */
  readonly records: number;
}
