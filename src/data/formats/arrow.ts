import { KagurazakaError } from "../../base/errors.js";
import { loadArrow } from "./arrow/engine.js";
import { bytesOf, isFileContainer, mapMessages } from "./arrow/messages.js";
import { ArrowReader } from "./arrow/reader.js";
import { featuresOfSchema } from "./arrow/schema.js";
import { openArrowWriter } from "./arrow/writer.js";
import { defineFormat, type OpenRequest } from "./format.js";

const END_OF_STREAM = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

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
  recognises: (head) => isFileContainer(head) || head.subarray(0, 4).equals(END_OF_STREAM.subarray(0, 4)),
  open,
  create: (request) => openArrowWriter(request, request.options.container),
});

async function open({ file }: OpenRequest<never>): Promise<ArrowReader> {
  const arrow = await loadArrow();
  try {
    const map = await mapMessages(arrow, file);
    const head = Buffer.concat(
      await Promise.all([map.schema, ...map.dictionaries].map((place) => bytesOf(file, place))),
    );
    const { schema } = arrow.RecordBatchReader.from(Buffer.concat([head, END_OF_STREAM])).open();
    return new ArrowReader({ file, arrow, map, features: featuresOfSchema(arrow, schema), head });
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    throw new KagurazakaError("bad-data", `${file.name} cannot be read as arrow: ${(cause as Error).message}`, {
      where: file.name,
      cause,
    });
  }
}
