import { KagurazakaError } from "../../base/errors.js";
import { zstdUnpacker } from "../bytes/zstd.js";
import { loadArrow } from "./arrow/engine.js";
import { reasonOf } from "./arrow/flatbuffer.js";
import { layoutOf } from "./arrow/layout.js";
import { isFileContainer, mapMessages } from "./arrow/messages.js";
import { ArrowReader } from "./arrow/reader.js";
import { decodeSchema, featuresOfSchema } from "./arrow/schema.js";
import { openArrowWriter } from "./arrow/writer.js";
import { defineFormat, type OpenRequest } from "./format.js";

/** In front of a message. */
const MARK = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** Apache Arrow's IPC: files (Feather) and streams, which Hugging Face's caches are. */
export default defineFormat({
  name: "arrow",
  help: "Arrow IPC, as a file or a stream",
  extensions: [".arrow", ".feather", ".arrows"],
  packs: false,
  codecs: ["none", "zstd", "lz4"],
  options: {
    container: {
      type: "string",
      choices: ["file", "stream"],
      default: "file",
      help: "what is written: a file with a footer, or a stream",
    },
  },
  hasSchema: true,
  recognises: (head) => isFileContainer(head) || head.subarray(0, 4).equals(MARK),
  open,
  create: (request) => openArrowWriter(request, request.options.container),
});

async function open({ file }: OpenRequest<never>): Promise<ArrowReader> {
  const [arrow, unpackZstd] = await Promise.all([loadArrow(), zstdUnpacker()]);
  try {
    const map = await mapMessages(file);
    const schema = decodeSchema(arrow, map.schema);
    const features = featuresOfSchema(arrow, schema);
    const layouts = new Map(schema.fields.map((field) => [field.name ?? "", layoutOf(arrow, field.type)]));
    return new ArrowReader({ file, map, features, layouts, unpackZstd });
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    throw new KagurazakaError("bad-data", `${file.name} cannot be read as arrow: ${reasonOf(cause)}`, {
      where: file.name,
      cause,
    });
  }
}
