import { KagurazakaError } from "../../base/errors.js";
import { defineFormat, type OpenRequest } from "./format.js";
import { loadEngine } from "./parquet/engine.js";
import { featuresOfFile } from "./parquet/file-features.js";
import { nodesOf } from "./parquet/nodes.js";
import { ParquetReader } from "./parquet/reader.js";
import { openParquetWriter } from "./parquet/writer.js";

const MAGIC = "PAR1";
const ENCRYPTED = "PARE";
const FOOTER_BYTES = 1 << 19;

/** Apache Parquet: columns in row groups, with a schema. Lists of numbers go from pages into typed arrays and back. */
export default defineFormat({
  name: "parquet",
  help: "columns in row groups, with a schema",
  extensions: [".parquet"],
  packs: false,
  codecs: ["snappy", "gzip", "zstd", "lz4", "none"],
  options: {},
  hasSchema: true,
  recognises: (head) => [MAGIC, ENCRYPTED].includes(head.subarray(0, 4).toString("latin1")),
  open,
  create: (request) => openParquetWriter(request),
});

async function open({ file }: OpenRequest): Promise<ParquetReader> {
  const engine = await loadEngine();
  const bytes = await footerOf(file);
  try {
    const metadata = engine.parquetMetadata(bytes, { geoparquet: false });
    const nodes = nodesOf(engine.parquetSchema(metadata));
    return new ParquetReader({ file, engine, metadata, nodes, features: await featuresOfFile(nodes, metadata) });
  } catch (cause) {
    throw bad(file.name, `its footer cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** The metadata with what ends the file: their length and the magic. */
async function footerOf(file: OpenRequest["file"]): Promise<Uint8Array> {
  const { size, name } = file;
  if (size < 12) throw bad(name, `it has ${size} bytes, too few for a parquet file`);
  const end = await file.read(Math.max(0, size - FOOTER_BYTES), FOOTER_BYTES);
  const magic = end.subarray(-4).toString("latin1");
  if (magic === ENCRYPTED) throw bad(name, "it is encrypted, which is not supported");
  if (magic !== MAGIC) {
    const begins = (await file.read(0, 4)).toString("latin1") === MAGIC;
    throw bad(name, begins ? "it is cut off: the footer is missing" : "it is not a parquet file");
  }
  const length = end.readUInt32LE(end.length - 8);
  if (length > size - 12) throw bad(name, `its footer would have ${length} bytes, more than the file`);
  return length + 8 <= end.length
    ? end.subarray(end.length - length - 8)
    : await file.read(size - length - 8, length + 8);
}

function bad(name: string, what: string, cause?: unknown): KagurazakaError {
  return new KagurazakaError("bad-data", `${name}: ${what}`, { where: name, cause });
}
