import type { DataFile } from "../../stores/store.js";
import { FlatTable, longAt } from "./flatbuffer.js";
import { dictionaryOf, type Message, messageOf, rowsOf } from "./headers.js";

/** A message of a file or stream: metadata, and a body right behind. */
export interface MessagePlace {
  readonly offset: number;
  /** With its prefix. */
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

/** The messages that make a dictionary: the last one, and those that it adds values to. */
export interface DictionaryPlace extends MessagePlace {
  readonly id: number;
  /** What a delta adds to. */
  readonly before: DictionaryPlace | undefined;
  /** The dictionaries that its own values may refer to. */
  readonly dictionaries: Dictionaries;
}

/** Those in force at a place of the file, by id. */
export type Dictionaries = ReadonlyMap<number, DictionaryPlace>;

export interface BatchPlace extends MessagePlace {
  /** Its first row in the file. */
  readonly first: number;
  readonly rows: number;
  readonly dictionaries: Dictionaries;
}

/** Where everything lies, without the bodies. */
export interface MessageMap {
  /** The metadata of the schema's message. */
  readonly schema: Buffer;
  readonly batches: readonly BatchPlace[];
}

const MAGIC = "ARROW1";
const MAX_METADATA_BYTES = 256 << 20;
/** Read at once: the metadata of a message of some columns. */
const USUAL_METADATA_BYTES = 1024;

export const isFileContainer = (head: Buffer): boolean => head.subarray(0, 6).toString("latin1") === MAGIC;

/** @throws Error for damage */
export async function mapMessages(file: DataFile): Promise<MessageMap> {
  return isFileContainer(await file.read(0, 8)) ? await mapFile(file) : await mapStream(file);
}

/** Hops from message to message. */
async function mapStream(file: DataFile): Promise<MessageMap> {
  const map = new MapBuilder();
  let schema: Buffer | undefined;
  let usual = USUAL_METADATA_BYTES;
  for (let offset = 0; offset + 4 <= file.size; ) {
    const read = await readMetadata(file, offset, file.size, usual);
    if (!read) break;
    const { message, metadata, place } = read;
    usual = Math.max(usual, Math.min(place.metadataBytes, 1 << 16));
    offset += place.metadataBytes + place.bodyBytes;
    if (message.kind !== "schema") map.add(message, place);
    else if (schema) throw new Error(`there is a second schema at byte ${place.offset}`);
    else schema = metadata;
  }
  if (!schema) throw new Error("it has no schema");
  return { schema, batches: map.batches };
}

/** Its footer says where messages lie. Their order counts only where dictionaries are replaced, which files should not do. */
async function mapFile(file: DataFile): Promise<MessageMap> {
  const { footer, end } = await readFooter(file);
  const schema = await readMetadata(file, 8, end, USUAL_METADATA_BYTES);
  if (schema?.message.kind !== "schema") throw new Error("it has no schema");
  const [dictionaries, batches] = [blocksOf(footer, 2), blocksOf(footer, 3)];
  const read = async (blocks: readonly MessagePlace[], kind: Message["kind"]) => {
    const messages: { message: Message; place: MessagePlace }[] = [];
    for (const { offset, metadataBytes } of blocks) {
      const one = await readMetadata(file, offset, end, metadataBytes);
      if (one?.message.kind !== kind) throw new Error(`its footer says that there is a ${kind} at byte ${offset}`);
      messages.push({ message: one.message, place: one.place });
    }
    return messages;
  };
  const all = [...(await read(dictionaries, "dictionary")), ...(await read(batches, "batch"))];
  const firsts =
    dictionaries.length === 0 ? [] : all.slice(0, dictionaries.length).map(({ message }) => dictionaryOf(message));
  const replaces = firsts.some(({ id, isDelta }, i) => !isDelta && firsts.findIndex((one) => one.id === id) < i);
  if (replaces) all.sort((one, other) => one.place.offset - other.place.offset);
  const map = new MapBuilder();
  for (const { message, place } of all) map.add(message, place);
  return { schema: schema.metadata, batches: map.batches };
}

/** Rows are counted, and dictionaries kept, in the order of messages. */
class MapBuilder {
  readonly batches: BatchPlace[] = [];
  #dictionaries: Dictionaries = new Map();
  #first = 0;

  add(message: Message, place: MessagePlace): void {
    const dictionaries = this.#dictionaries;
    if (message.kind === "batch") {
      const rows = rowsOf(message.header);
      this.batches.push({ ...place, first: this.#first, rows, dictionaries });
      this.#first += rows;
    } else if (message.kind === "dictionary") {
      const { id, isDelta } = dictionaryOf(message);
      const before = isDelta ? dictionaries.get(id) : undefined;
      this.#dictionaries = new Map(dictionaries).set(id, { ...place, id, before, dictionaries });
    }
  }
}

interface ReadMetadata {
  readonly message: Message;
  readonly metadata: Buffer;
  readonly place: MessagePlace;
}

/** @param usual bytes to read at once. @returns undefined at the end of a stream */
async function readMetadata(
  file: DataFile,
  offset: number,
  end: number,
  usual: number,
): Promise<ReadMetadata | undefined> {
  if (offset < 0 || offset + 4 > end) throw new Error(`there is no message at byte ${offset}`);
  let bytes = await file.read(offset, Math.min(usual, end - offset));
  // Before Arrow 0.15 a message had no mark.
  const hasMark = bytes.readInt32LE(0) === -1;
  const prefix = hasMark ? 8 : 4;
  if (bytes.length < prefix) throw new Error("it ends in the middle of a message");
  const length = bytes.readInt32LE(prefix - 4);
  if (length === 0) return undefined;
  const metadataBytes = prefix + length;
  if (length < 0 || length > MAX_METADATA_BYTES || offset + metadataBytes > end)
    throw new Error(`a message at byte ${offset} is larger than the file`);
  if (bytes.length < metadataBytes) bytes = await file.read(offset, metadataBytes);
  if (bytes.length < metadataBytes) throw new Error("it ends in the middle of a message");
  const metadata = bytes.subarray(prefix, metadataBytes);
  const message = messageOf(metadata);
  const { bodyBytes } = message;
  if (offset + metadataBytes + bodyBytes > end)
    throw new Error(`it ends in the middle of a message, which begins at byte ${offset}`);
  return { message, metadata, place: { offset, metadataBytes, bodyBytes } };
}

/** The footer of a file, and where it begins. */
async function readFooter(file: DataFile): Promise<{ footer: FlatTable; end: number }> {
  const tail = await file.read(Math.max(0, file.size - 10), 10);
  if (tail.length < 10 || tail.subarray(4).toString("latin1") !== MAGIC)
    throw new Error("it is cut off: the footer is missing");
  const length = tail.readInt32LE(0);
  if (length <= 0 || length > file.size - 18) throw new Error("its footer cannot be where it should");
  const end = file.size - 10 - length;
  return { footer: FlatTable.root(await file.read(end, length)), end };
}

const blocksOf = (footer: FlatTable, slot: number): MessagePlace[] =>
  footer.structs(slot, 24, (bytes, at) => ({
    offset: longAt(bytes, at),
    metadataBytes: Math.max(8, bytes.readInt32LE(at + 8)),
    bodyBytes: longAt(bytes, at + 16),
  }));
