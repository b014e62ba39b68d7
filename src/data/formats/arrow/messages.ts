import type { DataFile } from "../../stores/store.js";
import type { ArrowEngine } from "./engine.js";

/** A message of a file or stream: metadata, and a body right behind. */
interface MessagePlace {
  readonly offset: number;
  /** With its prefix. */
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

export interface BatchPlace extends MessagePlace {
  /** Its first row in the file. */
  readonly first: number;
  readonly rows: number;
}

/** Where everything lies, without the bodies. */
export interface MessageMap {
  readonly schema: MessagePlace;
  readonly dictionaries: readonly MessagePlace[];
  readonly batches: readonly BatchPlace[];
}

const MAGIC = "ARROW1";
const MAX_METADATA_BYTES = 256 << 20;

export const isFileContainer = (head: Buffer): boolean => head.subarray(0, 6).toString("latin1") === MAGIC;

/**
 * Hops from message to message. A file has the same messages as a stream, between its magic and its footer.
 * @throws Error for damage
 */
export async function mapMessages({ MessageReader, MessageHeader }: ArrowEngine, file: DataFile): Promise<MessageMap> {
  const isFile = isFileContainer(await file.read(0, 8));
  const end = isFile ? await endOfMessages(file) : file.size;
  let schema: MessagePlace | undefined;
  const dictionaries: MessagePlace[] = [];
  const batches: BatchPlace[] = [];
  let first = 0;
  for (let offset = isFile ? 8 : 0; offset + 8 <= end; ) {
    const prefix = await file.read(offset, 8);
    const hasMark = prefix.readInt32LE(0) === -1;
    const length = prefix.readInt32LE(hasMark ? 4 : 0);
    if (length === 0) break;
    const metadataBytes = length + (hasMark ? 8 : 4);
    if (length < 0 || length > MAX_METADATA_BYTES || offset + metadataBytes > end)
      throw new Error(`a message at byte ${offset} is larger than the file`);
    const message = new MessageReader(await file.read(offset, metadataBytes)).readMessage();
    if (!message) throw new Error(`there is no message at byte ${offset}`);
    const bodyBytes = message.bodyLength;
    const place = { offset, metadataBytes, bodyBytes };
    offset += metadataBytes + bodyBytes;
    if (offset > end) throw new Error(`it ends in the middle of a message, which begins at byte ${place.offset}`);
    if (message.headerType === MessageHeader.Schema) schema = place;
    else if (message.headerType === MessageHeader.DictionaryBatch) dictionaries.push(place);
    else if (message.headerType === MessageHeader.RecordBatch) {
      const rows = Number((message.header() as { length: number }).length);
      batches.push({ ...place, first, rows });
      first += rows;
    }
  }
  if (!schema) throw new Error("it has no schema");
  return { schema, dictionaries, batches };
}

/** Of a file: where its footer begins. */
async function endOfMessages(file: DataFile): Promise<number> {
  const tail = await file.read(Math.max(0, file.size - 10), 10);
  if (tail.length < 10 || tail.subarray(4).toString("latin1") !== MAGIC)
    throw new Error("it is cut off: the footer is missing");
  const length = tail.readInt32LE(0);
  if (length <= 0 || length > file.size - 18) throw new Error("its footer cannot be where it should");
  return file.size - 10 - length;
}

export const bytesOf = (file: DataFile, { offset, metadataBytes, bodyBytes }: MessagePlace): Promise<Buffer> =>
  file.read(offset, metadataBytes + bodyBytes);
