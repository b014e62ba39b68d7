var __knownSymbol = (name, symbol) => (symbol = Symbol[name]) ? symbol : /* @__PURE__ */ Symbol.for("Symbol." + name);
var __typeError = (msg) => {
  throw TypeError(msg);
};
var __using = (stack, value, async) => {
  if (value != null) {
    if (typeof value !== "object" && typeof value !== "function") __typeError("Object expected");
    var dispose, inner;
    if (async) dispose = value[__knownSymbol("asyncDispose")];
    if (dispose === void 0) {
      dispose = value[__knownSymbol("dispose")];
      if (async) inner = dispose;
    }
    if (typeof dispose !== "function") __typeError("Object not disposable");
    if (inner) dispose = function() {
      try {
        inner.call(this);
      } catch (e) {
        return Promise.reject(e);
      }
    };
    stack.push([async, dispose, value]);
  } else if (async) {
    stack.push([async]);
  }
  return value;
};
var __callDispose = (stack, error, hasError) => {
  var E = typeof SuppressedError === "function" ? SuppressedError : function(e, s, m, _2) {
    return _2 = Error(m), _2.name = "SuppressedError", _2.error = e, _2.suppressed = s, _2;
  };
  var fail = (e) => error = hasError ? new E(e, error, "An error was suppressed during disposal") : (hasError = true, e);
  var next = (it) => {
    while (it = stack.pop()) {
      try {
        var result = it[1] && it[1].call(it[2]);
        if (it[0]) return Promise.resolve(result).then(next, (e) => (fail(e), next()));
      } catch (e) {
        fail(e);
      }
    }
    if (hasError) throw error;
  };
  return next();
};

// src/base/errors.ts
var brand = /* @__PURE__ */ Symbol.for("kagurazaka.error");
var KagurazakaError = class extends Error {
  code;
  where;
  hint;
  frame;
  [brand] = true;
  constructor(code, message, details = {}) {
    super(message, details.cause === void 0 ? void 0 : { cause: details.cause });
    this.name = "KagurazakaError";
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
    this.frame = details.frame;
  }
  static is(value) {
    return typeof value === "object" && value !== null && value[brand] === true;
  }
};
var permanentBrand = /* @__PURE__ */ Symbol.for("kagurazaka.permanent");
var retryAfterBrand = /* @__PURE__ */ Symbol.for("kagurazaka.retryAfter");
var PermanentError = class extends Error {
  [permanentBrand] = true;
  name = "PermanentError";
};
var RetryAfterError = class extends Error {
  [retryAfterBrand] = true;
  name = "RetryAfterError";
  delayMs;
  scope;
  constructor(delayMs, scope, message = `asked to wait ${delayMs} ms`) {
    super(message);
    this.delayMs = delayMs;
    this.scope = scope;
  }
};

// src/base/canonical-json.ts
var Refused = class extends Error {
};
var refused = new Refused("refused");

// src/base/exact-json.ts
var MIN_DIGITS = 16;
var MAX_DIGITS = 400;
var MAX_DEPTH = 1e3;
var INTEGER = /(?<![\d.eE+-])-?(\d{16,})(?:\.0*)?(?:[eE][+-]?0+)?(?![\d.eE])/g;
function parseJson(text) {
  const value = JSON.parse(text);
  if (!mayHaveLargeIntegers(text)) return value;
  const quoted = quoteLargeIntegers(text);
  return quoted === text ? value : withIntegers(value, JSON.parse(quoted), 0);
}
function mayHaveLargeIntegers(text) {
  for (let at = MIN_DIGITS - 1; at < text.length; at += MIN_DIGITS) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let from = at;
    let to = at + 1;
    while (from > 0 && isDigit(text.charCodeAt(from - 1))) from--;
    while (to - from < MIN_DIGITS && isDigit(text.charCodeAt(to))) to++;
    if (to - from >= MIN_DIGITS) return true;
  }
  return false;
}
var isDigit = (code) => code >= 48 && code <= 57;
function quoteLargeIntegers(text) {
  let quoted = "";
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const start = quote < 0 ? text.length : quote;
    quoted += text.slice(at, start).replace(INTEGER, quoteIfLarge);
    at = quote < 0 ? start : endOfString(text, start);
    quoted += text.slice(start, at);
  }
  return quoted;
}
function quoteIfLarge(number, digits) {
  if (Number.isSafeInteger(Number(number))) return number;
  if (digits.length > MAX_DIGITS)
    throw new RangeError(`an integer of ${digits.length} digits; ${MAX_DIGITS} are the most`);
  if (number.endsWith(digits)) return `"${number}"`;
  if (BigInt(digits) === BigInt(Math.abs(Number(number)))) return number;
  throw new RangeError(`${number} is beyond 2^53 and would be rounded; write it without a fraction, or as text`);
}
function endOfString(text, start) {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}
function withIntegers(value, quoted, depth) {
  if (typeof value === "number") return typeof quoted === "string" ? BigInt(quoted) : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH} levels`);
  const [fields, others] = [value, quoted];
  for (const name of Object.keys(value)) fields[name] = withIntegers(fields[name], others[name], depth + 1);
  return value;
}

// src/data/formats/format.ts
var formatBrand = /* @__PURE__ */ Symbol.for("kagurazaka.format");
function defineFormat(format) {
  return Object.defineProperty({ ...format, contract: 1 }, formatBrand, { value: true });
}

// src/data/formats/text/json-text.ts
import { randomBytes } from "node:crypto";
var NotJson = class extends Error {
};
var MARK = randomBytes(9).toString("base64url");
var MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");
function jsonText(row) {
  const found = { integers: false };
  const plain = plainObject(row, found);
  const text = JSON.stringify(plain);
  return found.integers ? text.replace(MARKED, "$1") : text;
}
function plainObject(object, found) {
  let copy;
  const fields = object;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "string" || typeof value === "boolean" || value === null) continue;
    const plain = plainValue(value, found, name);
    if (plain === value) continue;
    copy ??= { ...fields };
    copy[name] = plain;
  }
  return copy ?? object;
}
function plainValue(value, found, name) {
  switch (typeof value) {
    case "number":
      if (Number.isFinite(value)) return value;
      throw new NotJson(`column ${name} is ${value}, which JSON cannot say: write null, or choose parquet or arrow`);
    case "bigint":
      found.integers = true;
      return `${MARK}${value}`;
    case "object":
      return value === null ? null : plainOf(value, found, name);
    case "function":
    case "symbol":
      throw new NotJson(`column ${name} is a ${typeof value}`);
    default:
      return value;
  }
}
function plainOf(value, found, name) {
  if (Array.isArray(value)) {
    let copy;
    for (let i = 0; i < value.length; i++) {
      const plain = plainValue(value[i], found, name);
      if (plain === value[i]) continue;
      copy ??= [...value];
      copy[i] = plain;
    }
    return copy ?? value;
  }
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  if (ArrayBuffer.isView(value))
    return Array.from(value, (one) => plainValue(one, found, name));
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return value.toISOString();
    throw new NotJson(`column ${name} is an invalid Date`);
  }
  if (value instanceof Map || value instanceof Set)
    throw new NotJson(`column ${name} is a ${value.constructor.name}: make an array or an object of it`);
  return plainObject(value, found);
}

// src/data/formats/text/line-rows.ts
import { isUtf8 } from "node:buffer";
var KEPT_CHARACTERS = 1 << 16;
var BadLine = class extends Error {
  hint;
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
};
function rowsOfLines(block, options) {
  const reader = new BlockReader(options);
  if (block.isTooLong) reader.tooLong(block.bytes);
  else if (options.textErrors === "replace" || isUtf8(block.bytes)) reader.text(block.bytes.toString("utf8"));
  else reader.damaged(block.bytes);
  return { rows: reader.rows, lines: reader.line - options.line };
}
var BlockReader = class {
  #options;
  #rows = [];
  /** Undefined while the rows have no gaps. */
  #positions;
  #first = 0;
  line;
  constructor(options) {
    this.#options = options;
    this.line = options.line;
  }
  get rows() {
    return { rows: this.#rows, first: this.#first, positions: this.#positions };
  }
  text(text) {
    const { isStart, parserFor: parserFor2 } = this.#options;
    const parse = parserFor2(text);
    for (let start = isStart && text.charCodeAt(0) === 65279 ? 1 : 0; start < text.length; ) {
      const newline = text.indexOf("\n", start);
      const end = newline < 0 ? text.length : newline;
      this.line++;
      this.#one(text.slice(start, end), parse);
      start = end + 1;
    }
  }
  #one(line, parse) {
    try {
      const row = parse(line);
      if (row !== void 0) this.#add(row);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      this.#bad(error.message, error.hint, line);
    }
  }
  #add(row) {
    const { line } = this;
    if (this.#rows.length === 0) this.#first = line;
    else if (this.#positions) this.#positions.push(line);
    else if (line !== this.#first + this.#rows.length)
      this.#positions = [...Array.from(this.#rows, (_2, i) => this.#first + i), line];
    this.#rows.push(row);
  }
  /** Line by line: those that are UTF-8 are read. */
  damaged(bytes) {
    for (let start = 0; start < bytes.length; ) {
      const newline = bytes.indexOf(10, start);
      const end = newline < 0 ? bytes.length : newline;
      const line = bytes.subarray(start, end);
      this.line++;
      const isFirst = start === 0 && this.#options.isStart;
      start = end + 1;
      const text = isFirst ? line.toString("utf8").replace(/^\ufeff/, "") : line.toString("utf8");
      if (isUtf8(line)) this.#one(text, this.#options.parserFor(text));
      else this.#bad(`not valid UTF-8 at byte ${invalidAt(line) + 1} of the line`, UTF8_HINT, text);
    }
  }
  tooLong(beginning) {
    this.line++;
    const megabytes = Math.round(this.#options.maxLineBytes / 2 ** 20);
    this.#bad(
      `the line is longer than ${megabytes} MB`,
      "Put large contents into files and name those in the row.",
      beginning.toString("utf8")
    );
  }
  #bad(what, hint, text) {
    this.#options.onBadRow({ position: this.line, what, hint, text: text.slice(0, KEPT_CHARACTERS) });
  }
};
var UTF8_HINT = "Convert the file, e.g. with iconv, or say --text-errors replace.";
function invalidAt(bytes) {
  let [from, to] = [0, bytes.length];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if ([0, 1, 2, 3].some((less) => middle - less >= from && isUtf8(bytes.subarray(0, middle - less)))) from = middle;
    else to = middle - 1;
  }
  return Math.min(from, bytes.length - 1);
}
function checkIsText(name, head, format) {
  const what = notText(head);
  if (what === void 0) return;
  const [is, hint] = what;
  throw new KagurazakaError("bad-data", `${name} is not ${format}: ${is}`, { where: name, hint });
}
function notText(head) {
  if (head.length < 2) return void 0;
  const [first, second] = head;
  if (first === 255 && second === 254 || first === 254 && second === 255)
    return ["it is UTF-16", "Convert it: iconv -f UTF-16 -t UTF-8."];
  if (first === 31 && second === 139) return ["it is packed by gzip", "Give the file a name that ends in .gz."];
  if (head.length >= 4 && head.readUInt32LE(0) === 4247762216)
    return ["it is packed by zstd", "Give the file a name that ends in .zst."];
  const nul = head.indexOf(0);
  return nul < 0 ? void 0 : [`byte ${nul} is NUL, which no text has`, "Check which format the file has, and say it with --format."];
}

// src/data/formats/text/unpack.ts
import { Readable } from "node:stream";

// src/data/bytes/zstd.ts
import { pipeline, Transform } from "node:stream";
import zlib from "node:zlib";

// src/data/bytes/zstd-frames.ts
var MAGIC = 4247762216;
var SKIPPABLE_MAGIC = 407710288;
var MAX_BLOCK_BYTES = 128 * 1024;
var ZstdFrames = class {
  /** The field that is being read: a magic, a header, the head of a block. */
  #field = Buffer.alloc(18);
  #have = 0;
  #want = 4;
  #read = this.#readMagic;
  /** Bytes to pass over before the next field. */
  #pass = 0;
  #ended = false;
  #begun = false;
  #isSkipped = false;
  #hasChecksum = false;
  #contentBytes;
  #blocksAtMost = 0;
  /** No frame is begun and not ended. */
  get isAtEnd() {
    return !this.#begun;
  }
  /** The chunk, cut where frames end. */
  push(chunk) {
    const pieces = [];
    let start = 0;
    for (let at = 0; at < chunk.length; ) {
      this.#begun = true;
      const wanted = this.#pass > 0 ? this.#pass : this.#want - this.#have;
      const taken = Math.min(wanted, chunk.length - at);
      if (this.#pass > 0) {
        this.#pass -= taken;
      } else {
        chunk.copy(this.#field, this.#have, at, at + taken);
        this.#have += taken;
      }
      at += taken;
      if (this.#have === this.#want && this.#pass === 0 && !this.#ended) this.#read();
      if (!this.#ended || this.#pass > 0) continue;
      pieces.push(this.#piece(chunk.subarray(start, at), true));
      start = at;
      this.#beginFrame();
    }
    if (start < chunk.length) pieces.push(this.#piece(chunk.subarray(start), false));
    return pieces;
  }
  #piece(bytes, isEnd) {
    return { bytes, isEnd, atMost: this.#contentBytes ?? this.#blocksAtMost, isSkipped: this.#isSkipped };
  }
  #beginFrame() {
    this.#begun = false;
    this.#ended = false;
    this.#isSkipped = false;
    this.#contentBytes = void 0;
    this.#blocksAtMost = 0;
    this.#expect(4, this.#readMagic);
  }
  /** @param want bytes of the next field, `have` of which are there */
  #expect(want, read, have = 0) {
    this.#have = have;
    this.#want = want;
    this.#read = read;
  }
  #endAfter(bytes) {
    this.#pass = bytes;
    this.#ended = true;
  }
  #readMagic() {
    const magic = this.#field.readUInt32LE(0);
    if (magic === MAGIC) this.#expect(5, this.#readDescriptor, 4);
    else if ((magic & ~15) >>> 0 === SKIPPABLE_MAGIC) this.#expect(4, this.#skip);
    else throw new Error("it is not in zstd format");
  }
  #skip() {
    this.#isSkipped = true;
    this.#endAfter(this.#field.readUInt32LE(0));
  }
  #readDescriptor() {
    const descriptor = this.#field[4];
    const isSingleSegment = (descriptor & 32) !== 0;
    const sizeAt = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3];
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6];
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#expect(sizeAt + sizeBytes, () => this.#readSize(sizeAt, sizeBytes), 5);
  }
  #readSize(at, bytes) {
    if (bytes === 8) this.#contentBytes = Number(this.#field.readBigUInt64LE(at));
    else if (bytes > 0) this.#contentBytes = this.#field.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
    this.#expect(3, this.#readBlock);
  }
  #readBlock() {
    const block = this.#field.readUIntLE(0, 3);
    const size = block >> 3;
    const type = block >> 1 & 3;
    if (type === 3) throw new Error("it is damaged");
    this.#blocksAtMost += type === 2 ? MAX_BLOCK_BYTES : size;
    const packedBytes = type === 1 ? 1 : size;
    if ((block & 1) !== 0) return this.#endAfter(packedBytes + (this.#hasChecksum ? 4 : 0));
    this.#pass = packedBytes;
    this.#expect(3, this.#readBlock);
  }
};

// src/data/bytes/zstd.ts
var MAX_FRAME_BYTES = 256 * 2 ** 20;
var PACKED_FRAME_BYTES = 4 * 2 ** 20;
var LEVEL = 3;
var native = zlib;
async function* unpackZstd(packed, options) {
  const frames = new ZstdFrames();
  const pieces = piecesOf(packed, frames);
  try {
    if (native.createZstdDecompress && options.natively !== false) yield* unpackStreams(pieces, options);
    else yield* unpackFrames(pieces, options);
    if (!frames.isAtEnd) throw new Error("it ends in the middle of a frame");
  } finally {
    packed.destroy();
  }
}
async function* piecesOf(packed, frames) {
  for await (const chunk of packed) yield* frames.push(chunk);
}
async function* unpackStreams(pieces, { chunkBytes }) {
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    const unpacked2 = native.createZstdDecompress({ chunkSize: Math.max(64, chunkBytes) });
    pipeline(restOfFrame(next.value, pieces), unpacked2, () => {
    });
    yield* unpacked2;
  }
}
async function* restOfFrame(first, pieces) {
  yield first.bytes;
  for (let isEnd = first.isEnd; !isEnd; ) {
    const next = await pieces.next();
    if (next.done) return;
    yield next.value.bytes;
    isEnd = next.value.isEnd;
  }
}
async function* unpackFrames(pieces, { path, chunkBytes, maxFrameBytes = MAX_FRAME_BYTES }) {
  const codec2 = await loadCodec();
  let frame = [];
  for await (const { bytes, isEnd, atMost, isSkipped } of pieces) {
    if (atMost > maxFrameBytes) throw tooLarge(path, maxFrameBytes);
    if (!isSkipped) frame.push(bytes);
    if (!isEnd) continue;
    const whole = frame.length === 1 ? frame[0] : Buffer.concat(frame);
    frame = [];
    if (isSkipped || atMost === 0) continue;
    const unpacked2 = codec2.decompress(whole, { defaultHeapSize: atMost });
    for (let at = 0; at < unpacked2.length; at += chunkBytes)
      yield Buffer.from(unpacked2.buffer, unpacked2.byteOffset + at, Math.min(chunkBytes, unpacked2.length - at));
  }
}
function tooLarge(path, maxFrameBytes) {
  return new KagurazakaError(
    "generate-tasks",
    `${path} has a zstd frame of more than ${maxFrameBytes / 2 ** 20} MB, which Node ${process.versions.node} cannot unpack piece by piece`,
    {
      where: path,
      hint: "Run Node 22.15 or newer; or pipe it in, zstd -dc FILE | kagurazaka \u2026, with - in place of the path; or pack it as .gz."
    }
  );
}
var codec;
function loadCodec() {
  codec ??= import("@bokuweb/zstd-wasm").then(async (loaded) => {
    await loaded.init();
    return loaded;
  });
  return codec;
}
async function compressZstd() {
  const { zstdCompressSync } = zlib;
  if (zstdCompressSync) return zstdCompressSync;
  const codec2 = await loadCodec();
  return (block) => codec2.compress(Buffer.from(block), LEVEL);
}

// src/data/formats/text/unpack.ts
var CHUNK_BYTES = 1 << 20;
async function* unpacked(file, packing, chunkBytes = CHUNK_BYTES) {
  try {
    if (packing === "none") yield* file.stream(0, file.size, chunkBytes);
    else if (packing === "gzip") yield* gunzipped(file, chunkBytes);
    else yield* unpackZstd(Readable.from(copies(file)), { path: file.name, chunkBytes });
  } catch (error) {
    if (KagurazakaError.is(error)) throw error;
    const { message } = error;
    throw new KagurazakaError("bad-data", `${file.name} cannot be unpacked to its end: ${message}`, {
      where: file.name,
      hint: "The file is cut off or damaged. Rows before that place were read.",
      cause: error
    });
  }
}
async function* gunzipped(file, chunkBytes) {
  const { createGunzip } = await import("node:zlib");
  const { pipeline: pipeline2 } = await import("node:stream");
  const unzipped = createGunzip({ chunkSize: Math.max(64, chunkBytes) });
  pipeline2(Readable.from(copies(file)), unzipped, () => {
  });
  yield* unzipped;
}
async function* copies(file) {
  for await (const chunk of file.stream(0, file.size, 1 << 18)) yield Buffer.from(chunk);
}

// src/data/formats/text/line-blocks.ts
var NEWLINE = 10;
var TAIL_BYTES = 1 << 16;
async function* lineBlocks(file, packing, range) {
  const lines = new Lines(range.maxLineBytes);
  const isPart = packing === "none";
  const skipsFirst = isPart && range.from > 0;
  let at = skipsFirst ? range.from - 1 : 0;
  let isSkipping = skipsFirst;
  for await (let chunk of isPart ? bytesFrom(file, at, range) : unpacked(file, packing, range.chunkBytes)) {
    at += chunk.length;
    if (isSkipping) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) {
        if (at >= range.to) return;
        continue;
      }
      isSkipping = false;
      chunk = chunk.subarray(newline + 1);
    }
    const start = at - chunk.length;
    if (isPart && start >= range.to && lines.isAtStart) return;
    const last = isPart && at >= range.to ? chunk.indexOf(NEWLINE, Math.max(0, range.to - 1 - start)) : -1;
    yield* lines.push(last < 0 ? chunk : chunk.subarray(0, last + 1));
    if (last >= 0) return;
  }
  yield* lines.end();
}
async function* bytesFrom(file, from, { to, chunkBytes }) {
  yield* file.stream(from, Math.min(to, file.size), chunkBytes);
  yield* file.stream(Math.min(to, file.size), file.size, Math.min(chunkBytes ?? TAIL_BYTES, TAIL_BYTES));
}
var Lines = class {
  #maxLineBytes;
  #begun = [];
  #begunBytes = 0;
  /** The line that is too long goes on. */
  #isOverlong = false;
  constructor(maxLineBytes) {
    this.#maxLineBytes = maxLineBytes;
  }
  get isAtStart() {
    return this.#begunBytes === 0 && !this.#isOverlong;
  }
  *push(chunk) {
    let rest = chunk;
    if (this.#isOverlong) {
      const newline = rest.indexOf(NEWLINE);
      if (newline < 0) return;
      this.#isOverlong = false;
      rest = rest.subarray(newline + 1);
    }
    const end = rest.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const whole = rest.subarray(0, end);
      yield { bytes: this.#begunBytes === 0 ? whole : Buffer.concat([...this.#begun, whole]), isTooLong: false };
      this.#begun = [];
      this.#begunBytes = 0;
    }
    if (end === rest.length) return;
    this.#begun.push(Buffer.from(rest.subarray(end)));
    this.#begunBytes += rest.length - end;
    if (this.#begunBytes <= this.#maxLineBytes) return;
    yield { bytes: this.#begun[0], isTooLong: true };
    this.#begun = [];
    this.#begunBytes = 0;
    this.#isOverlong = true;
  }
  *end() {
    if (this.#begunBytes > 0) yield { bytes: Buffer.concat(this.#begun), isTooLong: false };
  }
};

// src/data/formats/text/line-cuts.ts
function evenCuts(size, sliceBytes) {
  const count = Math.max(1, Math.round(size / sliceBytes));
  const cut2 = (i) => Math.floor(size / count * i);
  return Array.from({ length: count }, (_2, i) => {
    const [from, to] = [cut2(i), i === count - 1 ? size : cut2(i + 1)];
    return { from, to, bytes: to - from };
  });
}
async function lineCuts(file, sliceRows) {
  const starts = [0];
  let rows = 0;
  let at = 0;
  let lineStart = 0;
  for await (const chunk of file.stream(0, file.size)) {
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, newline + 1)) {
      const end = at + newline + 1;
      if (end - lineStart > 1 && ++rows % sliceRows === 0) starts.push(end);
      lineStart = end;
    }
    at += chunk.length;
  }
  if (starts.length > 1 && starts.at(-1) === file.size) starts.pop();
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? file.size;
    return { from, to, bytes: to - from };
  });
}
async function lineNumberAt(file, from) {
  let lines = 0;
  for await (const chunk of file.stream(0, from - 1))
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  return lines + 1;
}

// src/data/formats/text/text-reader.ts
var MAX_LINE_BYTES = 64 << 20;
var TextReader = class {
  unit = "byte";
  rowCount = void 0;
  file;
  packing;
  features;
  undivided;
  constructor({ file, packing, features, undivided }) {
    this.file = file;
    this.packing = packing;
    this.features = features;
    this.undivided = packing === "none" ? undivided : `a file packed by ${packing} cannot be opened in its middle`;
  }
  get end() {
    return this.file.size;
  }
  async slices(size) {
    const { size: bytes } = this.file;
    if (this.undivided !== void 0) return [{ from: 0, to: bytes, bytes }];
    return size.rows === void 0 ? evenCuts(bytes, size.bytes ?? bytes) : await lineCuts(this.file, size.rows);
  }
  async where(from, position) {
    const before = from === 0 || this.packing !== "none" ? 0 : await lineNumberAt(this.file, from);
    return `${this.file.name}:${before + position}`;
  }
  /** The row's error, with its place. */
  async badRow(from, { position, what, hint }) {
    const where = await this.where(from, position);
    return new KagurazakaError("bad-data", `${where}: ${what}`, { where, hint });
  }
  async [Symbol.asyncDispose]() {
    await this.file[Symbol.asyncDispose]();
  }
};
var LineReader = class extends TextReader {
  #parserFor;
  #formatName;
  constructor(options) {
    super(options);
    this.#parserFor = options.parserFor;
    this.#formatName = options.formatName;
  }
  async *rows(request) {
    const { from = 0, to = this.end, textErrors = "fail", columns } = request;
    let line = 0;
    let firstBad;
    const onBadRow = request.onBadRow ?? ((bad) => void (firstBad ??= bad));
    const range = { from, to, maxLineBytes: MAX_LINE_BYTES };
    for await (const block of lineBlocks(this.file, this.packing, range)) {
      const isStart = line === 0 && from === 0;
      if (isStart) checkIsText(this.file.name, block.bytes.subarray(0, 4), this.#formatName);
      const options = { parserFor: this.#parserFor, maxLineBytes: MAX_LINE_BYTES, textErrors, onBadRow, isStart, line };
      const { rows, lines } = rowsOfLines(block, options);
      line += lines;
      const kept = firstBad === void 0 ? rows : rowsBefore(rows, firstBad.position);
      if (kept.rows.length > 0) yield* cut(columns ? project(kept, columns) : kept, request.batchRows);
      if (firstBad !== void 0) throw await this.badRow(from, firstBad);
    }
  }
};
function rowsBefore(block, position) {
  const count = block.rows.findIndex((_2, i) => positionOf(block, i) > position);
  return count < 0 ? block : { ...block, rows: block.rows.slice(0, count) };
}
var positionOf = (block, index) => block.positions ? block.positions[index] : block.first + index;
function project(block, columns) {
  const rows = block.rows.map((row) => {
    const kept = {};
    for (const name of columns) kept[name] = Object.hasOwn(row, name) ? row[name] : null;
    return kept;
  });
  return { ...block, rows };
}
function* cut(block, most) {
  if (most === void 0 || block.rows.length <= most) return yield block;
  for (let at = 0; at < block.rows.length; at += most) {
    const positions = block.positions?.slice(at, at + most);
    yield { rows: block.rows.slice(at, at + most), first: positionOf(block, at), positions };
  }
}

// src/data/bytes/pack-block.ts
import zlib2 from "node:zlib";
async function blockPacker(packing) {
  if (packing === "none") return (block) => block;
  return packing === "gzip" ? (block) => zlib2.gzipSync(block) : await compressZstd();
}

// src/data/stores/file-sink.ts
import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
var BUFFER_BYTES = 1 << 20;
var FileSink = class {
  #fd;
  #hash = createHash("sha256");
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  #isOpen = true;
  bytes = 0;
  constructor(path) {
    this.#fd = openSync(path, "wx");
  }
  write(bytes) {
    this.bytes += bytes.length;
    if (bytes.length > BUFFER_BYTES - this.#filled) this.#flush();
    if (bytes.length > BUFFER_BYTES / 2) return this.#put(bytes);
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }
  /** The file is whole. @returns its SHA-256, in hex */
  finish() {
    this.#flush();
    this[Symbol.dispose]();
    return this.#hash.digest("hex");
  }
  #flush() {
    if (this.#filled > 0) this.#put(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }
  #put(bytes) {
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at);
  }
  [Symbol.dispose]() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }
};

// src/data/formats/text/text-writer.ts
var BLOCK_CHARACTERS = 1 << 20;
async function openTextWriter(options) {
  const pack = await blockPacker(options.packing);
  return new TextWriter(options, pack);
}
var TextWriter = class {
  #options;
  #pack;
  #sink;
  #text;
  #rows = 0;
  constructor(options, pack) {
    this.#options = options;
    this.#pack = pack;
    this.#sink = new FileSink(options.path);
    this.#text = options.head ?? "";
  }
  async writeRows(rows) {
    const { textOf } = this.#options;
    for (const row of rows) {
      this.#text += textOf(row, this.#rows++);
      if (this.#text.length >= BLOCK_CHARACTERS) this.#flush();
    }
  }
  #flush() {
    if (this.#text !== "") this.#sink.write(this.#pack(Buffer.from(this.#text)));
    this.#text = "";
  }
  async finish() {
    this.#text += this.#options.tail ?? "";
    this.#flush();
    if (this.#sink.bytes === 0) this.#sink.write(this.#pack(Buffer.alloc(0)));
    const sha256 = this.#sink.finish();
    return { rows: this.#rows, bytes: this.#sink.bytes, sha256 };
  }
  async [Symbol.asyncDispose]() {
    this.#sink[Symbol.dispose]();
  }
};

// src/data/formats/jsonl.ts
var jsonl_default = defineFormat({
  name: "jsonl",
  help: "one JSON object a line",
  extensions: [".jsonl", ".ndjson"],
  packs: true,
  codecs: [],
  options: {},
  hasSchema: false,
  recognises: (head) => /^\ufeff?\s*\{[^\n]*\}\s*\n\s*\{/.test(head.toString("utf8")),
  open: async ({ file, packing, features }) => new LineReader({ file, packing, features, formatName: "JSON lines", parserFor }),
  create: ({ path, compression }) => openTextWriter({ path, packing: compression, textOf: (row) => `${jsonText(row)}
` })
});
function parserFor(text) {
  const parse = mayHaveLargeIntegers(text) ? parseJson : JSON.parse;
  const mayHaveProto = text.includes("__proto__") || text.includes("\\u005");
  return (line) => {
    if (line.length === 0 || line.charCodeAt(0) < 33 && line.trim() === "") return void 0;
    const row = parseLine(line, parse);
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw new BadLine(notObject(row), "Each line must be one JSON object.");
    if (mayHaveProto) checkKeys(row);
    return row;
  };
}
function parseLine(line, parse) {
  try {
    return parse(line);
  } catch (error) {
    throw new BadLine(...whyNotJson(line, error));
  }
}
function whyNotJson(text, error) {
  if (error instanceof RangeError) return [error.message];
  if (/[:[,\s](?:NaN|-?Infinity)\s*(?:[,}\]]|$)/.test(text))
    return [
      `not JSON: NaN and Infinity are no JSON`,
      "Write null or a text for them; Python writes JSON with allow_nan=False."
    ];
  return [`not JSON: ${error.message}`, `The line begins ${JSON.stringify(text.slice(0, 60))}.`];
}
var notObject = (value) => `not an object but ${Array.isArray(value) ? "an array" : JSON.stringify(value)?.slice(0, 60)}`;
function checkKeys(value) {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw new BadLine('a key is "__proto__"', "Rename it in the file.");
  for (const inner of Object.values(value)) checkKeys(inner);
}

// src/data/stores/local-file.ts
import { open } from "node:fs/promises";
var CHUNK_BYTES2 = 1 << 20;
async function openLocalFile(path) {
  let handle;
  try {
    handle = await open(path, "r");
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new Error("it is a directory");
    return new LocalFile(path, stat.size, handle);
  } catch (cause) {
    await handle?.close();
    throw new KagurazakaError("source", `cannot open ${path}: ${cause.message}`, { where: path, cause });
  }
}
var LocalFile = class {
  name;
  size;
  #handle;
  #closed;
  constructor(name, size, handle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }
  async read(offset, length) {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.size - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === buffer.length ? buffer : buffer.subarray(0, filled);
  }
  async *stream(from, to, chunkBytes = CHUNK_BYTES2) {
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(chunkBytes, to - from)));
    for (let at = from; at < to; ) {
      const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }
  async [Symbol.asyncDispose]() {
    this.#closed ??= this.#handle.close();
    await this.#closed;
  }
};

// ../../tmp/t1.ts
import { writeFileSync, existsSync, rmSync } from "node:fs";
var p = "/tmp/big.jsonl";
if (!existsSync(p)) {
  let s = "";
  for (let i = 0; i < 2e5; i++) {
    s += JSON.stringify({ id: i, text: "lorem ipsum dolor sit amet ".repeat(34) + i, score: i / 3, tags: ["a", "b"] }) + "\n";
  }
  writeFileSync(p, s);
}
for (let k = 0; k < 3; k++) {
  var _stack = [];
  try {
    const t = performance.now();
    const r = __using(_stack, await jsonl_default.open({ file: await openLocalFile(p), packing: "none", options: {} }), true);
    let n = 0;
    rmSync("/tmp/o.jsonl", { force: true });
    const w = await jsonl_default.create({ path: "/tmp/o.jsonl", compression: "none", features: void 0, options: {} });
    for await (const b of r.rows({})) {
      const out = [];
      for (const row of b.rows) out.push({ ...row, text: row.text.trim() });
      await w.writeRows(out);
      n += out.length;
    }
    const f = await w.finish();
    console.log("ours", n, (performance.now() - t).toFixed(0), f.bytes);
    const t2 = performance.now();
    const fs = await import("node:fs");
    const fd = fs.openSync(p, "r");
    const fo = fs.openSync("/tmp/o2.jsonl", "w");
    const buf = Buffer.allocUnsafe(1 << 20);
    let rest = "";
    let m = 0;
    const { StringDecoder } = await import("node:string_decoder");
    const d = new StringDecoder();
    for (; ; ) {
      const k2 = fs.readSync(fd, buf, 0, buf.length, null);
      if (!k2) break;
      const lines = (rest + d.write(buf.subarray(0, k2))).split("\n");
      rest = lines.pop();
      let o = "";
      for (const l of lines) {
        const row = JSON.parse(l);
        const r2 = { ...row, text: row.text.trim() };
        o += JSON.stringify(r2) + "\n";
        m++;
      }
      fs.writeSync(fo, o);
    }
    console.log("bare", m, (performance.now() - t2).toFixed(0));
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}
