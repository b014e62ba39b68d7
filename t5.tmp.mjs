var __defProp = Object.defineProperty;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __knownSymbol = (name, symbol) => (symbol = Symbol[name]) ? symbol : /* @__PURE__ */ Symbol.for("Symbol." + name);
var __typeError = (msg) => {
  throw TypeError(msg);
};
var __esm = (fn, res, err) => function __init() {
  if (err) throw err[0];
  try {
    return fn && (res = (0, fn[__getOwnPropNames(fn)[0]])(fn = 0)), res;
  } catch (e) {
    throw err = [e], e;
  }
};
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
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
var brand, KagurazakaError, permanentBrand, retryAfterBrand, PermanentError, RetryAfterError;
var init_errors = __esm({
  "src/base/errors.ts"() {
    "use strict";
    brand = /* @__PURE__ */ Symbol.for("kagurazaka.error");
    KagurazakaError = class extends Error {
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
    permanentBrand = /* @__PURE__ */ Symbol.for("kagurazaka.permanent");
    retryAfterBrand = /* @__PURE__ */ Symbol.for("kagurazaka.retryAfter");
    PermanentError = class extends Error {
      [permanentBrand] = true;
      name = "PermanentError";
    };
    RetryAfterError = class extends Error {
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
  }
});

// src/base/nearest.ts
function distance(a, b) {
  let beforeLast = [];
  let last = Array.from({ length: b.length + 1 }, (_2, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2] + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
function nearestName(name, candidates) {
  const wanted = fold(name);
  let best;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    if (folded === "") continue;
    const d = folded.startsWith(wanted) && wanted.length >= 3 ? 1 : distance(wanted, folded);
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}
function didYouMean(name, candidates) {
  const near = nearestName(name, candidates);
  return near === void 0 ? "" : ` Did you mean "${near}"?`;
}
var fold;
var init_nearest = __esm({
  "src/base/nearest.ts"() {
    "use strict";
    fold = (name) => name.toLowerCase().replace(/[-_]/g, "");
  }
});

// src/data/formats/format.ts
function defineFormat(format) {
  return Object.defineProperty({ ...format, contract: 1 }, formatBrand, { value: true });
}
function isFormat(value) {
  return typeof value === "object" && value !== null && value[formatBrand] === true;
}
var formatBrand, UnwritableRow;
var init_format = __esm({
  "src/data/formats/format.ts"() {
    "use strict";
    formatBrand = /* @__PURE__ */ Symbol.for("kagurazaka.format");
    UnwritableRow = class extends Error {
      /** Of the rows that were given. */
      index;
      constructor(index, message) {
        super(message);
        this.name = "UnwritableRow";
        this.index = index;
      }
    };
  }
});

// src/base/record-shape.ts
var init_record_shape = __esm({
  "src/base/record-shape.ts"() {
    "use strict";
  }
});

// src/base/canonical-json.ts
var Refused, refused;
var init_canonical_json = __esm({
  "src/base/canonical-json.ts"() {
    "use strict";
    init_errors();
    init_record_shape();
    Refused = class extends Error {
    };
    refused = new Refused("refused");
  }
});

// src/base/exact-json.ts
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
var MIN_DIGITS, MAX_DIGITS, MAX_DEPTH, INTEGER, isDigit;
var init_exact_json = __esm({
  "src/base/exact-json.ts"() {
    "use strict";
    init_canonical_json();
    MIN_DIGITS = 16;
    MAX_DIGITS = 400;
    MAX_DEPTH = 1e3;
    INTEGER = /(?<![\d.eE+-])-?(\d{16,})(?:\.0*)?(?:[eE][+-]?0+)?(?![\d.eE])/g;
    isDigit = (code) => code >= 48 && code <= 57;
  }
});

// src/data/formats/text/not-text.ts
var NotText;
var init_not_text = __esm({
  "src/data/formats/text/not-text.ts"() {
    "use strict";
    NotText = class extends Error {
    };
  }
});

// src/data/formats/text/json-text.ts
import { randomBytes } from "node:crypto";
function jsonText(row) {
  const found = { integers: false };
  const plain2 = plainObject(row, found);
  const text = JSON.stringify(plain2);
  return found.integers ? text.replace(MARKED, "$1") : text;
}
function plainObject(object, found) {
  let copy;
  const fields = object;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "string" || typeof value === "boolean" || value === null) continue;
    const plain2 = plainValue(value, found, name);
    if (plain2 === value) continue;
    copy ??= { ...fields };
    copy[name] = plain2;
  }
  return copy ?? object;
}
function plainValue(value, found, name) {
  switch (typeof value) {
    case "number":
      if (Number.isFinite(value)) return value;
      throw new NotText(`column ${name} is ${value}, which JSON cannot say: write null, or choose parquet or arrow`);
    case "bigint":
      found.integers = true;
      return `${MARK}${value}`;
    case "object":
      return value === null ? null : plainOf(value, found, name);
    case "function":
    case "symbol":
      throw new NotText(`column ${name} is a ${typeof value}`);
    default:
      return value;
  }
}
function plainOf(value, found, name) {
  if (Array.isArray(value)) {
    let copy;
    for (let i = 0; i < value.length; i++) {
      const plain2 = plainValue(value[i], found, name);
      if (plain2 === value[i]) continue;
      copy ??= [...value];
      copy[i] = plain2;
    }
    return copy ?? value;
  }
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  if (ArrayBuffer.isView(value))
    return Array.from(value, (one) => plainValue(one, found, name));
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return value.toISOString();
    throw new NotText(`column ${name} is an invalid Date`);
  }
  if (value instanceof Map || value instanceof Set)
    throw new NotText(`column ${name} is a ${value.constructor.name}: make an array or an object of it`);
  return plainObject(value, found);
}
var MARK, MARKED;
var init_json_text = __esm({
  "src/data/formats/text/json-text.ts"() {
    "use strict";
    init_not_text();
    MARK = randomBytes(9).toString("base64url");
    MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");
  }
});

// src/data/formats/text/line-rows.ts
import { isUtf8 } from "node:buffer";
function rowsOfLines(block, options) {
  const reader = new BlockReader(options);
  if (block.isTooLong) reader.tooLong(block.bytes);
  else if (options.textErrors === "replace" || isUtf8(block.bytes)) reader.text(block.bytes.toString("utf8"));
  else reader.damaged(block.bytes);
  return { rows: reader.rows, lines: reader.line - options.line };
}
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
var KEPT_CHARACTERS, BadLine, BlockReader, UTF8_HINT;
var init_line_rows = __esm({
  "src/data/formats/text/line-rows.ts"() {
    "use strict";
    init_errors();
    KEPT_CHARACTERS = 1 << 16;
    BadLine = class extends Error {
      hint;
      constructor(message, hint) {
        super(message);
        this.hint = hint;
      }
    };
    BlockReader = class {
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
        const parse2 = parserFor2(text);
        for (let start = isStart && text.charCodeAt(0) === 65279 ? 1 : 0; start < text.length; ) {
          const newline = text.indexOf("\n", start);
          const end = newline < 0 ? text.length : newline;
          this.line++;
          this.#one(text.slice(start, end), parse2);
          start = end + 1;
        }
      }
      #one(line, parse2) {
        try {
          const row = parse2(line);
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
    UTF8_HINT = "Convert the file, e.g. with iconv, or say --text-errors replace.";
  }
});

// src/data/bytes/zstd-frames.ts
var MAGIC, SKIPPABLE_MAGIC, MAX_BLOCK_BYTES, ZstdFrames;
var init_zstd_frames = __esm({
  "src/data/bytes/zstd-frames.ts"() {
    "use strict";
    MAGIC = 4247762216;
    SKIPPABLE_MAGIC = 407710288;
    MAX_BLOCK_BYTES = 128 * 1024;
    ZstdFrames = class {
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
      #expect(want, read2, have = 0) {
        this.#have = have;
        this.#want = want;
        this.#read = read2;
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
  }
});

// src/data/bytes/zstd.ts
import { pipeline, Transform } from "node:stream";
import zlib from "node:zlib";
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
function loadCodec() {
  codec ??= import("@bokuweb/zstd-wasm").then(async (loaded3) => {
    await loaded3.init();
    return loaded3;
  });
  return codec;
}
async function compressZstd() {
  const { zstdCompressSync } = zlib;
  if (zstdCompressSync) return zstdCompressSync;
  const codec2 = await loadCodec();
  return (block) => codec2.compress(Buffer.from(block), LEVEL);
}
var MAX_FRAME_BYTES, PACKED_FRAME_BYTES, LEVEL, native, codec;
var init_zstd = __esm({
  "src/data/bytes/zstd.ts"() {
    "use strict";
    init_errors();
    init_zstd_frames();
    MAX_FRAME_BYTES = 256 * 2 ** 20;
    PACKED_FRAME_BYTES = 4 * 2 ** 20;
    LEVEL = 3;
    native = zlib;
  }
});

// src/data/formats/text/unpack.ts
import { Readable } from "node:stream";
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
var CHUNK_BYTES;
var init_unpack = __esm({
  "src/data/formats/text/unpack.ts"() {
    "use strict";
    init_errors();
    init_zstd();
    CHUNK_BYTES = 1 << 20;
  }
});

// src/data/formats/text/line-blocks.ts
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
var NEWLINE, TAIL_BYTES, Lines;
var init_line_blocks = __esm({
  "src/data/formats/text/line-blocks.ts"() {
    "use strict";
    init_unpack();
    NEWLINE = 10;
    TAIL_BYTES = 1 << 16;
    Lines = class {
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
        let rest2 = chunk;
        if (this.#isOverlong) {
          const newline = rest2.indexOf(NEWLINE);
          if (newline < 0) return;
          this.#isOverlong = false;
          rest2 = rest2.subarray(newline + 1);
        }
        const end = rest2.lastIndexOf(NEWLINE) + 1;
        if (end > 0) {
          const whole = rest2.subarray(0, end);
          yield { bytes: this.#begunBytes === 0 ? whole : Buffer.concat([...this.#begun, whole]), isTooLong: false };
          this.#begun = [];
          this.#begunBytes = 0;
        }
        if (end === rest2.length) return;
        this.#begun.push(Buffer.from(rest2.subarray(end)));
        this.#begunBytes += rest2.length - end;
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
  }
});

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
var init_line_cuts = __esm({
  "src/data/formats/text/line-cuts.ts"() {
    "use strict";
  }
});

// src/data/formats/text/text-reader.ts
function rowsBefore(block, position) {
  const count = block.rows.findIndex((_2, i) => positionOf(block, i) > position);
  return count < 0 ? block : { ...block, rows: block.rows.slice(0, count) };
}
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
var MAX_LINE_BYTES, TextReader, LineReader, positionOf;
var init_text_reader = __esm({
  "src/data/formats/text/text-reader.ts"() {
    "use strict";
    init_errors();
    init_line_blocks();
    init_line_cuts();
    init_line_rows();
    init_unpack();
    MAX_LINE_BYTES = 64 << 20;
    TextReader = class {
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
      get name() {
        return this.file.name;
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
    LineReader = class extends TextReader {
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
        const keepFirst = (bad2) => {
          firstBad ??= bad2;
        };
        const onBadRow = request.onBadRow ?? keepFirst;
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
    positionOf = (block, index) => block.positions ? block.positions[index] : block.first + index;
  }
});

// src/data/bytes/pack-block.ts
import zlib2 from "node:zlib";
async function blockPacker(packing) {
  if (packing === "none") return (block) => block;
  return packing === "gzip" ? (block) => zlib2.gzipSync(block) : await compressZstd();
}
var init_pack_block = __esm({
  "src/data/bytes/pack-block.ts"() {
    "use strict";
    init_zstd();
  }
});

// src/data/stores/file-sink.ts
import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
var BUFFER_BYTES, FileSink;
var init_file_sink = __esm({
  "src/data/stores/file-sink.ts"() {
    "use strict";
    BUFFER_BYTES = 1 << 20;
    FileSink = class {
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
  }
});

// src/data/formats/text/text-writer.ts
async function openTextWriter(options) {
  const pack = await blockPacker(options.packing);
  return new TextWriter(options, pack);
}
var BLOCK_CHARACTERS, TextWriter;
var init_text_writer = __esm({
  "src/data/formats/text/text-writer.ts"() {
    "use strict";
    init_pack_block();
    init_file_sink();
    init_format();
    init_not_text();
    BLOCK_CHARACTERS = 1 << 20;
    TextWriter = class {
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
        for (let i = 0; i < rows.length; i++) {
          this.#text += this.#textOf(rows[i], i);
          if (this.#text.length >= BLOCK_CHARACTERS) this.#flush();
        }
      }
      #textOf(row, index) {
        try {
          const text = this.#options.textOf(row, this.#rows);
          this.#rows++;
          return text;
        } catch (error) {
          if (error instanceof NotText) throw new UnwritableRow(index, error.message);
          throw error;
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
  }
});

// src/data/formats/jsonl.ts
var jsonl_exports = {};
__export(jsonl_exports, {
  checkKeys: () => checkKeys,
  default: () => jsonl_default,
  whyNotJson: () => whyNotJson
});
function parserFor(text) {
  const parse2 = mayHaveLargeIntegers(text) ? parseJson : JSON.parse;
  const mayHaveProto = text.includes("__proto__") || text.includes("\\u005");
  return (line) => {
    if (line.length === 0 || line.charCodeAt(0) < 33 && line.trim() === "") return void 0;
    const row = parseLine(line, parse2);
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw new BadLine(notObject(row), "Each line must be one JSON object.");
    if (mayHaveProto) checkKeys(row);
    return row;
  };
}
function parseLine(line, parse2) {
  try {
    return parse2(line);
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
function checkKeys(value) {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw new BadLine('a key is "__proto__"', "Rename it in the file.");
  for (const inner of Object.values(value)) checkKeys(inner);
}
var jsonl_default, notObject;
var init_jsonl = __esm({
  "src/data/formats/jsonl.ts"() {
    "use strict";
    init_exact_json();
    init_format();
    init_json_text();
    init_line_rows();
    init_text_reader();
    init_text_writer();
    jsonl_default = defineFormat({
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
    notObject = (value) => `not an object but ${Array.isArray(value) ? "an array" : JSON.stringify(value)?.slice(0, 60)}`;
  }
});

// src/data/formats/parquet/engine.ts
import zlib3 from "node:zlib";
function loadEngine() {
  loaded ??= load();
  return loaded;
}
async function load() {
  const [{ parquetMetadata, parquetSchema }, column, delta, encoding, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet/src/column.js"),
    import("hyparquet/src/delta.js"),
    import("hyparquet/src/encoding.js"),
    import("hyparquet-compressors")
  ]);
  return {
    parquetMetadata,
    parquetSchema,
    parquetHeader: column.parquetHeader,
    ...delta,
    byteStreamSplit: encoding.byteStreamSplit,
    decompressors: { ...compressors, ...native2 }
  };
}
var loaded, zstdDecompressSync, native2;
var init_engine = __esm({
  "src/data/formats/parquet/engine.ts"() {
    "use strict";
    ({ zstdDecompressSync } = zlib3);
    native2 = {
      GZIP: (bytes, size) => zlib3.gunzipSync(bytes, { maxOutputLength: Math.max(1, size) }),
      BROTLI: (bytes, size) => zlib3.brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, size) }),
      ...zstdDecompressSync && { ZSTD: (bytes) => zstdDecompressSync(bytes) }
    };
  }
});

// src/data/features/dtypes.ts
function dtypeNamed(text) {
  const name = Object.hasOwn(aliases, text) ? aliases[text] : text;
  const parts = partsOrUndefined(name);
  return parts && dtypeOf(parts);
}
function dtypeParts(dtype) {
  const parts = partsOrUndefined(dtype);
  if (parts) return parts;
  const near = nearestName(dtype, examples);
  throw new RangeError(`there is no dtype "${dtype}"${near === void 0 ? "" : `; did you mean "${near}"?`}`);
}
function partsOrUndefined(dtype) {
  if (!known.has(dtype) && known.size < 1e4) known.set(dtype, parse(dtype));
  return known.get(dtype);
}
function parse(dtype) {
  const timestamp = TIMESTAMP.exec(dtype);
  if (timestamp) return { kind: "timestamp", unit: timestamp[1], zone: timestamp[2] };
  const unit = UNIT.exec(dtype);
  if (unit) return unitParts(unit[1], unit[2]);
  const decimal2 = DECIMAL.exec(dtype);
  if (!decimal2) return void 0;
  const [bits, precision, scale] = [Number(decimal2[1]), Number(decimal2[2]), Number(decimal2[3])];
  const most = bits === 128 ? 38 : 76;
  return precision < 1 || precision > most || scale > precision ? void 0 : { kind: "decimal", bits, precision, scale };
}
function unitParts(name, unit) {
  if (name === "duration") return { kind: "duration", unit };
  return name === "time32" === (unit === "s" || unit === "ms") ? { kind: "time", unit } : void 0;
}
function dtypeOf(parts) {
  switch (parts.kind) {
    case "int":
      return `${parts.signed ? "" : "u"}int${parts.bits}`;
    case "float":
      return `float${parts.bits}`;
    case "decimal":
      return `decimal${parts.bits}(${parts.precision}, ${parts.scale})`;
    case "string":
    case "binary":
      return parts.large ? `large_${parts.kind}` : parts.kind;
    case "date":
      return parts.unit === "day" ? "date32" : "date64";
    case "time":
      return parts.unit === "s" || parts.unit === "ms" ? `time32[${parts.unit}]` : `time64[${parts.unit}]`;
    case "timestamp":
      return parts.zone === void 0 ? `timestamp[${parts.unit}]` : `timestamp[${parts.unit}, tz=${parts.zone}]`;
    case "duration":
      return `duration[${parts.unit}]`;
    default:
      return parts.kind;
  }
}
var plain, aliases, examples, known, TIMESTAMP, UNIT, DECIMAL, unitsPerSecond;
var init_dtypes = __esm({
  "src/data/features/dtypes.ts"() {
    "use strict";
    init_nearest();
    plain = {
      bool: { kind: "bool" },
      null: { kind: "null" },
      string: { kind: "string", large: false },
      large_string: { kind: "string", large: true },
      binary: { kind: "binary", large: false },
      large_binary: { kind: "binary", large: true },
      date32: { kind: "date", unit: "day" },
      date64: { kind: "date", unit: "ms" },
      float16: { kind: "float", bits: 16 },
      float32: { kind: "float", bits: 32 },
      float64: { kind: "float", bits: 64 },
      ...Object.fromEntries(
        [8, 16, 32, 64].flatMap((bits) => [
          [`int${bits}`, { kind: "int", bits, signed: true }],
          [`uint${bits}`, { kind: "int", bits, signed: false }]
        ])
      )
    };
    aliases = {
      boolean: "bool",
      bool_: "bool",
      halffloat: "float16",
      float: "float32",
      double: "float64",
      utf8: "string",
      large_utf8: "large_string",
      string_view: "string",
      binary_view: "binary",
      str: "string",
      int: "int64"
    };
    examples = [
      ...Object.keys(plain),
      "timestamp[us]",
      "timestamp[us, tz=UTC]",
      "time32[s]",
      "time64[us]",
      "duration[ns]",
      "decimal128(10, 2)"
    ];
    known = new Map(Object.entries(plain));
    TIMESTAMP = /^timestamp\[(s|ms|us|ns)(?:, ?tz=([^\]]{1,100}))?\]$/;
    UNIT = /^(time32|time64|duration)\[(s|ms|us|ns)\]$/;
    DECIMAL = /^decimal(128|256)\((\d{1,2}), ?(-?\d{1,2})\)$/;
    unitsPerSecond = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };
  }
});

// src/data/features/feature.ts
function Value(dtype) {
  const named = dtypeNamed(dtype);
  if (named === void 0) dtypeParts(dtype);
  return { dtype: named, _type: "Value" };
}
function List(feature, options = {}) {
  const { length = -1, large = false } = options;
  return { feature: toFeature(feature), length, _type: large ? "LargeList" : "List" };
}
function ClassLabel(names) {
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== void 0) throw new RangeError(`ClassLabel has the name "${repeated}" twice`);
  return { names: [...names], _type: "ClassLabel" };
}
function Json() {
  return { _type: "Json" };
}
function Nullable(feature) {
  const inner = toFeature(feature);
  return isA(inner, "Nullable") ? inner : { feature: inner, _type: "Nullable" };
}
function MapOf(key, value) {
  return { key: toFeature(key), value: toFeature(value), _type: "Map" };
}
function toFeature(written2) {
  if (typeof written2 === "string") return Value(written2);
  if (Array.isArray(written2)) {
    if (written2.length === 1) return List(written2[0]);
    throw new RangeError('a list is written with one feature in brackets: ["int32"]');
  }
  if (typeof written2 !== "object" || written2 === null) throw new RangeError(`${String(written2)} is no feature`);
  const feature = written2;
  if (isA(feature, "Value")) return Value(feature.dtype);
  if (isA(feature, "List") || isA(feature, "LargeList"))
    return { ...feature, feature: toFeature(feature.feature), length: feature.length ?? -1 };
  if (isA(feature, "Nullable")) return Nullable(feature.feature);
  if (isA(feature, "Map")) return MapOf(feature.key, feature.value);
  if (isA(feature, "ClassLabel")) return ClassLabel(feature.names);
  return isA(feature, "Json") ? Json() : toStruct(feature);
}
function toStruct(written2) {
  const struct = {};
  for (const [name, feature] of Object.entries(written2)) {
    if (name === "__proto__") throw new RangeError('no column can be named "__proto__"');
    struct[name] = toFeature(feature);
  }
  return struct;
}
function isA(feature, type) {
  return feature._type === type;
}
function splitNullable(feature) {
  return isA(feature, "Nullable") ? { core: feature.feature, nullable: true } : { core: feature, nullable: false };
}
var isList, isStruct;
var init_feature = __esm({
  "src/data/features/feature.ts"() {
    "use strict";
    init_dtypes();
    isList = (feature) => isA(feature, "List") || isA(feature, "LargeList");
    isStruct = (feature) => typeof feature._type !== "string";
  }
});

// src/data/features/hugging-face.ts
function toHuggingFace(features) {
  return Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, written(feature)]));
}
function written(feature) {
  const { core } = splitNullable(feature);
  if (isList(core)) {
    const list = { feature: written(core.feature), _type: core._type };
    return core.length < 0 ? list : { feature: list.feature, length: core.length, _type: list._type };
  }
  if (isA(core, "ClassLabel")) return { names: core.names, _type: "ClassLabel" };
  if (isA(core, "Map")) return written(List({ key: core.key, value: core.value }));
  return isA(core, "Value") || isA(core, "Json") ? core : toHuggingFace(core);
}
function fitsHuggingFace(feature) {
  const { core } = splitNullable(feature);
  if (isA(core, "Map")) return false;
  if (isList(core)) return fitsHuggingFace(core.feature);
  return isA(core, "Value") || isA(core, "ClassLabel") || isA(core, "Json") || Object.values(core).every(fitsHuggingFace);
}
function fromHuggingFace(json, { nullable = false } = {}) {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new RangeError("features are a JSON object of columns");
  return readStruct(json, "", nullable);
}
function readStruct(json, path, nullable) {
  const struct = {};
  for (const [name, field] of Object.entries(json)) {
    if (name === "__proto__") throw new RangeError('no column can be named "__proto__"');
    struct[name] = read(field, path === "" ? name : `${path}.${name}`, nullable);
  }
  return struct;
}
function read(json, path, nullable) {
  const feature = readCore(json, path, nullable);
  return nullable ? Nullable(feature) : feature;
}
function readCore(json, path, nullable) {
  if (typeof json === "string") return readValue(json, path);
  if (Array.isArray(json) && json.length === 1) return List(read(json[0], `${path}[]`, nullable));
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new RangeError(`${path}: ${JSON.stringify(json)} is no feature`);
  const { _type: type } = json;
  if (typeof type !== "string") return readStruct(json, path, nullable);
  return readTyped(json, type, path, nullable);
}
function readTyped(json, type, path, nullable) {
  const inner = () => read(json.feature, `${path}[]`, nullable);
  switch (type) {
    case "Value":
      return readValue(json.dtype, path);
    case "ClassLabel":
      return ClassLabel(readNames(json, path));
    case "Json":
      return Json();
    case "Nullable":
      return Nullable(read(json.feature, path, nullable));
    case "List":
    case "LargeList":
      return List(inner(), { length: typeof json.length === "number" ? json.length : -1, large: type === "LargeList" });
    case "Map":
      return {
        key: read(json.key, `${path}.key`, false),
        value: read(json.value, `${path}.value`, nullable),
        _type: "Map"
      };
    case "Sequence":
      return readSequence(inner(), json, nullable);
    case "Image":
    case "Audio":
    case "Video":
    case "Pdf":
      return { bytes: Nullable("binary"), path: Nullable("string") };
    case "Translation":
      return Object.fromEntries(
        json.languages.map((language) => [language, Nullable("string")])
      );
  }
  const dimensions = /^Array([2-5])D$/.exec(type)?.[1];
  if (dimensions !== void 0) return readArray(json, path);
  throw new RangeError(`${path}: there is no feature type "${type}".${didYouMean(type, TYPES)}`);
}
function readValue(dtype, path) {
  const named = typeof dtype === "string" ? dtypeNamed(dtype) : void 0;
  if (named !== void 0) return Value(named);
  throw new RangeError(
    `${path}: there is no dtype ${JSON.stringify(dtype)}.${didYouMean(String(dtype), ["string", "bool", "int32", "int64", "float32", "float64", "binary", "timestamp[us]", "date32"])}`
  );
}
function readNames(json, path) {
  const names = json.names;
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  if (typeof names === "object" && names !== null) return Object.values(names).map(String);
  if (typeof json.num_classes === "number") return Array.from({ length: json.num_classes }, (_2, i) => String(i));
  throw new RangeError(`${path}: a ClassLabel needs names`);
}
function readSequence(inner, json, nullable) {
  const { core } = splitNullable(inner);
  const length = typeof json.length === "number" ? json.length : -1;
  if (isA(core, "Value") || isA(core, "ClassLabel") || isA(core, "Json") || isList(core) || isA(core, "Map"))
    return List(inner, { length });
  const lists = Object.entries(core).map(([name, field]) => {
    const list = List(field, { length });
    return [name, nullable ? Nullable(list) : list];
  });
  return Object.fromEntries(lists);
}
function readArray({ shape, dtype }, path) {
  let feature = readValue(dtype, path);
  const dimensions = shape;
  for (const length of dimensions.slice(1).reverse()) feature = List(feature, { length: length ?? -1 });
  return List(feature, { length: dimensions[0] ?? -1 });
}
var TYPES;
var init_hugging_face = __esm({
  "src/data/features/hugging-face.ts"() {
    "use strict";
    init_nearest();
    init_dtypes();
    init_feature();
    TYPES = [
      "Value",
      "ClassLabel",
      "List",
      "LargeList",
      "Sequence",
      "Json",
      "Array2D",
      "Array3D",
      "Array4D",
      "Array5D",
      "Translation",
      "Image",
      "Audio",
      "Nullable"
    ];
  }
});

// src/data/features/labelled.ts
function labelled(storage, said) {
  return Object.fromEntries(
    Object.entries(storage).map(([name, feature]) => [name, said[name] ? both(feature, said[name]) : feature])
  );
}
function both(storage, said) {
  const { core, nullable } = splitNullable(storage);
  const other = splitNullable(said).core;
  const merged = bothCores(core, other);
  return nullable ? Nullable(merged) : merged;
}
function bothCores(core, said) {
  if (isA(said, "ClassLabel")) return isA(core, "Value") && dtypeParts(core.dtype).kind === "int" ? said : core;
  if (isA(said, "Json")) return isA(core, "Value") && dtypeParts(core.dtype).kind === "string" ? said : core;
  if (isList(core) && isList(said)) return { ...core, feature: both(core.feature, said.feature) };
  return isStruct(core) && isStruct(said) ? labelled(core, said) : core;
}
var init_labelled = __esm({
  "src/data/features/labelled.ts"() {
    "use strict";
    init_dtypes();
    init_feature();
  }
});

// src/data/formats/arrow/engine.ts
function loadArrow() {
  loaded2 ??= import("apache-arrow");
  return loaded2;
}
var loaded2;
var init_engine2 = __esm({
  "src/data/formats/arrow/engine.ts"() {
    "use strict";
  }
});

// src/data/formats/arrow/schema.ts
function withHuggingFace(features, metadata) {
  if (metadata === void 0) return features;
  try {
    const { info } = JSON.parse(metadata);
    return labelled(features, fromHuggingFace(info.features));
  } catch {
    return features;
  }
}
function featuresOfSchema(arrow, schema) {
  const own = Object.fromEntries(schema.fields.map((field) => [field.name, featureOfField(arrow, field)]));
  return withHuggingFace(own, schema.metadata.get(HUGGING_FACE));
}
function featureOfField(arrow, field) {
  const isJson = field.metadata.get(EXTENSION) === JSON_EXTENSION;
  const core = isJson ? Json() : featureOfType(arrow, field.type, field.name);
  return field.nullable ? Nullable(core) : core;
}
function featureOfType(arrow, type, name) {
  const { DataType, Type } = arrow;
  if (DataType.isDictionary(type)) return featureOfType(arrow, type.dictionary, name);
  if (DataType.isStruct(type))
    return Object.fromEntries(
      type.children.map((child) => [child.name, featureOfField(arrow, child)])
    );
  if (DataType.isMap(type)) {
    const [key, value] = type.children[0].type.children;
    return {
      key: featureOfField(arrow, key),
      value: featureOfField(arrow, value),
      _type: "Map"
    };
  }
  const isLarge = type.typeId === Type.LargeList;
  if (DataType.isList(type) || isLarge)
    return List(featureOfField(arrow, type.children[0]), { large: isLarge });
  if (DataType.isFixedSizeList(type))
    return List(featureOfField(arrow, type.children[0]), { length: type.listSize });
  const parts = partsOfType(arrow, type);
  if (parts) return Value(dtypeOf(parts));
  throw new Error(`column ${name} has the type ${String(type)}, which is not supported`);
}
function partsOfType({ DataType, Type }, type) {
  if (DataType.isInt(type)) return { kind: "int", bits: type.bitWidth, signed: type.isSigned };
  if (DataType.isFloat(type)) return { kind: "float", bits: [16, 32, 64][type.precision] };
  if (DataType.isBool(type)) return { kind: "bool" };
  if (DataType.isNull(type)) return { kind: "null" };
  if (DataType.isDecimal(type))
    return { kind: "decimal", bits: type.bitWidth === 256 ? 256 : 128, precision: type.precision, scale: type.scale };
  if (DataType.isDate(type)) return { kind: "date", unit: type.unit === 0 ? "day" : "ms" };
  if (DataType.isTime(type)) return { kind: "time", unit: units[type.unit] };
  if (DataType.isTimestamp(type))
    return { kind: "timestamp", unit: units[type.unit], zone: type.timezone ?? void 0 };
  if (DataType.isDuration(type)) return { kind: "duration", unit: units[type.unit] };
  switch (type.typeId) {
    case Type.Utf8:
    case Type.Utf8View:
      return { kind: "string", large: false };
    case Type.LargeUtf8:
      return { kind: "string", large: true };
    case Type.Binary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return { kind: "binary", large: false };
    case Type.LargeBinary:
      return { kind: "binary", large: true };
  }
  return void 0;
}
function schemaOf(arrow, features) {
  const fields = Object.entries(features).map(([name, feature]) => fieldOf(arrow, name, feature));
  const metadata = huggingFaceMetadata(features);
  return new arrow.Schema(fields, new Map(metadata === void 0 ? [] : [[HUGGING_FACE, metadata]]));
}
function fieldOf(arrow, name, feature) {
  const { core, nullable } = splitNullable(feature);
  const metadata = isA(core, "Json") ? /* @__PURE__ */ new Map([
    [EXTENSION, JSON_EXTENSION],
    [EXTENSION_METADATA, ""]
  ]) : /* @__PURE__ */ new Map();
  const isNull = isA(core, "Value") && core.dtype === "null";
  return new arrow.Field(name, typeOf(arrow, core), nullable || isNull, metadata);
}
function typeOf(arrow, core) {
  if (isA(core, "Value")) return typeOfDtype(arrow, core.dtype);
  if (isA(core, "ClassLabel")) return new arrow.Int64();
  if (isA(core, "Json")) return new arrow.Utf8();
  if (isList(core)) {
    const item = fieldOf(arrow, "item", core.feature);
    if (core.length >= 0) return new arrow.FixedSizeList(core.length, item);
    return core._type === "LargeList" ? new arrow.LargeList(item) : new arrow.List(item);
  }
  if (isA(core, "Map")) {
    const entries = new arrow.Struct([
      fieldOf(arrow, "key", splitNullable(core.key).core),
      fieldOf(arrow, "value", core.value)
    ]);
    return new arrow.Map_(new arrow.Field("entries", entries, false));
  }
  return new arrow.Struct(Object.entries(core).map(([name, field]) => fieldOf(arrow, name, field)));
}
function typeOfDtype(arrow, dtype) {
  const parts = dtypeParts(dtype);
  switch (parts.kind) {
    case "int":
      return new arrow[`${parts.signed ? "Int" : "Uint"}${parts.bits}`]();
    case "float":
      return new arrow[`Float${parts.bits}`]();
    case "bool":
      return new arrow.Bool();
    case "null":
      return new arrow.Null();
    case "string":
      return parts.large ? new arrow.LargeUtf8() : new arrow.Utf8();
    case "binary":
      return parts.large ? new arrow.LargeBinary() : new arrow.Binary();
    case "decimal":
      return new arrow.Decimal(parts.scale, parts.precision, parts.bits);
    case "date":
      return parts.unit === "day" ? new arrow.DateDay() : new arrow.DateMillisecond();
    case "time":
      return new arrow.Time(units.indexOf(parts.unit), parts.unit === "s" || parts.unit === "ms" ? 32 : 64);
    case "timestamp":
      return new arrow.Timestamp(units.indexOf(parts.unit), parts.zone ?? null);
    case "duration":
      return new arrow.Duration(units.indexOf(parts.unit));
  }
}
async function encodeSchemaMessage(features) {
  const arrow = await loadArrow();
  const schema = schemaOf(arrow, features);
  const writer = new arrow.RecordBatchStreamWriter();
  writer.reset(void 0, schema);
  writer.finish();
  const bytes = Buffer.from(await writer.toUint8Array());
  return bytes.subarray(0, 8 + bytes.readInt32LE(4)).toString("base64");
}
async function decodeSchemaMessage(base64) {
  const arrow = await loadArrow();
  const reader = arrow.RecordBatchReader.from(Buffer.concat([Buffer.from(base64, "base64"), END_OF_STREAM]));
  return featuresOfSchema(arrow, reader.open().schema);
}
var HUGGING_FACE, EXTENSION, EXTENSION_METADATA, JSON_EXTENSION, units, huggingFaceMetadata, END_OF_STREAM;
var init_schema = __esm({
  "src/data/formats/arrow/schema.ts"() {
    "use strict";
    init_dtypes();
    init_feature();
    init_hugging_face();
    init_labelled();
    init_engine2();
    HUGGING_FACE = "huggingface";
    EXTENSION = "ARROW:extension:name";
    EXTENSION_METADATA = "ARROW:extension:metadata";
    JSON_EXTENSION = "arrow.json";
    units = ["s", "ms", "us", "ns"];
    huggingFaceMetadata = (features) => Object.values(features).every(fitsHuggingFace) ? JSON.stringify({ info: { features: toHuggingFace(features) } }) : void 0;
    END_OF_STREAM = Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]);
  }
});

// src/data/formats/parquet/elements.ts
function featureOfElement(element) {
  const { logical_type: logical, converted_type: converted } = element;
  if (logical?.type === "JSON" || converted === "JSON") return Json();
  return Value(dtypeOfElement(element, logical, converted));
}
function dtypeOfElement(element, logical, converted) {
  switch (logical?.type) {
    case "STRING":
    case "ENUM":
      return "string";
    case "DECIMAL":
      return decimal(logical.precision, logical.scale);
    case "DATE":
      return "date32";
    case "TIME":
      return logical.unit === "MILLIS" ? "time32[ms]" : `time64[${units2[logical.unit]}]`;
    case "TIMESTAMP":
      return dtypeOf({
        kind: "timestamp",
        unit: units2[logical.unit],
        zone: logical.isAdjustedToUTC ? "UTC" : void 0
      });
    case "INTEGER":
      return dtypeOf({ kind: "int", bits: logical.bitWidth, signed: logical.isSigned });
    case "NULL":
      return "null";
    case "FLOAT16":
      return "float16";
  }
  return converted !== void 0 && convertedDtype(converted, element) || physicalDtype(element);
}
function convertedDtype(converted, { precision = 0, scale = 0 }) {
  const int = /^(U?)INT_(\d+)$/.exec(converted);
  if (int) return dtypeOf({ kind: "int", bits: Number(int[2]), signed: int[1] === "" });
  switch (converted) {
    case "UTF8":
    case "ENUM":
      return "string";
    case "DECIMAL":
      return decimal(precision, scale);
    case "DATE":
      return "date32";
    case "TIME_MILLIS":
      return "time32[ms]";
    case "TIME_MICROS":
      return "time64[us]";
    case "TIMESTAMP_MILLIS":
      return "timestamp[ms, tz=UTC]";
    case "TIMESTAMP_MICROS":
      return "timestamp[us, tz=UTC]";
  }
  return void 0;
}
function elementOfDtype(dtype) {
  const parts = dtypeParts(dtype);
  switch (parts.kind) {
    case "bool":
      return { type: "BOOLEAN" };
    case "null":
      return { type: "INT32", logical_type: { type: "NULL" } };
    case "int": {
      const type = parts.bits === 64 ? "INT64" : "INT32";
      if (parts.signed && parts.bits >= 32) return { type };
      return { type, converted_type: `${parts.signed ? "" : "U"}INT_${parts.bits}` };
    }
    case "float":
      if (parts.bits === 16) return { type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, logical_type: { type: "FLOAT16" } };
      return { type: parts.bits === 32 ? "FLOAT" : "DOUBLE" };
    case "string":
      return { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case "binary":
      return { type: "BYTE_ARRAY" };
    case "date":
      return { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } };
    case "decimal": {
      const { precision, scale } = parts;
      const common = {
        converted_type: "DECIMAL",
        precision,
        scale,
        logical_type: { type: "DECIMAL", precision, scale }
      };
      return { type: "FIXED_LEN_BYTE_ARRAY", type_length: decimalBytes(precision), ...common };
    }
    case "time": {
      const unit = parts.unit === "ns" ? "NANOS" : parts.unit === "us" ? "MICROS" : "MILLIS";
      const converted = unit === "NANOS" ? {} : { converted_type: unit === "MILLIS" ? "TIME_MILLIS" : "TIME_MICROS" };
      return {
        type: unit === "MILLIS" ? "INT32" : "INT64",
        ...converted,
        logical_type: { type: "TIME", isAdjustedToUTC: true, unit }
      };
    }
    case "timestamp": {
      const unit = parts.unit === "ns" ? "NANOS" : parts.unit === "us" ? "MICROS" : "MILLIS";
      return { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: parts.zone !== void 0, unit } };
    }
    case "duration":
      return { type: "INT64" };
  }
}
function decimalBytes(precision) {
  for (let bytes = 1; ; bytes++) if (2n ** BigInt(8 * bytes - 1) >= 10n ** BigInt(precision)) return bytes;
}
var units2, decimal, physical, physicalDtype;
var init_elements = __esm({
  "src/data/formats/parquet/elements.ts"() {
    "use strict";
    init_dtypes();
    init_feature();
    units2 = { MILLIS: "ms", MICROS: "us", NANOS: "ns" };
    decimal = (precision, scale) => dtypeOf({ kind: "decimal", bits: precision > 38 ? 256 : 128, precision, scale });
    physical = {
      BOOLEAN: "bool",
      INT32: "int32",
      INT64: "int64",
      INT96: "timestamp[ns]",
      FLOAT: "float32",
      DOUBLE: "float64",
      BYTE_ARRAY: "binary",
      FIXED_LEN_BYTE_ARRAY: "binary"
    };
    physicalDtype = ({ type }) => physical[type ?? ""] ?? "binary";
  }
});

// src/data/formats/parquet/nodes.ts
function nodesOf(root) {
  return root.children.map((child) => [child.element.name, nodeOf(child, 0, 0)]);
}
function nodeOf(tree, slotDef, rep) {
  const { element } = tree;
  if (element.repetition_type === "REPEATED") {
    const item = innerNode(tree, { slotDef: slotDef + 1, rep: rep + 1, ownDef: slotDef + 1, nullable: false });
    return { kind: "list", isMap: false, slotDef, rep, ownDef: slotDef, nullable: false, item };
  }
  const nullable = element.repetition_type === "OPTIONAL";
  return innerNode(tree, { slotDef, rep, ownDef: slotDef + (nullable ? 1 : 0), nullable });
}
function innerNode(tree, base) {
  const { element, children } = tree;
  if (children.length === 0) {
    if (!element.type) throw new Error(`column ${tree.path.join(".")} is a struct without fields`);
    return { kind: "leaf", element, path: tree.path, ...base };
  }
  const [repeated] = children;
  if (children.length === 1 && repeated.element.repetition_type === "REPEATED") {
    const kind = `${element.converted_type} ${element.logical_type?.type}`;
    if (/MAP/.test(kind) && repeated.children.length === 2) return listNode(repeated, base, true, repeated);
    if (/LIST/.test(kind)) return listNode(repeated, base, false, itemOf(repeated, element.name));
  }
  return {
    kind: "struct",
    fields: children.map((child) => [child.element.name, nodeOf(child, base.ownDef, base.rep)]),
    ...base
  };
}
function itemOf(repeated, name) {
  const isWrapper = repeated.children.length === 1 && repeated.element.name !== "array" && repeated.element.name !== `${name}_tuple`;
  return isWrapper ? repeated.children[0] : repeated;
}
function listNode(repeated, base, isMap, item) {
  const [slotDef, rep] = [base.ownDef + 1, base.rep + 1];
  const itemBase = { slotDef, rep, ownDef: slotDef, nullable: false };
  return {
    kind: "list",
    isMap,
    item: item === repeated ? innerNode(repeated, itemBase) : nodeOf(item, slotDef, rep),
    ...base
  };
}
function leavesOf(node) {
  if (node.kind === "leaf") return [node];
  return node.kind === "list" ? leavesOf(node.item) : node.fields.flatMap(([, field]) => leavesOf(field));
}
function featureOfNode(node) {
  const core = coreOf(node);
  return node.nullable ? Nullable(core) : core;
}
function coreOf(node) {
  if (node.kind === "leaf") return featureOfElement(node.element);
  if (node.kind === "struct")
    return Object.fromEntries(node.fields.map(([name, field]) => [name, featureOfNode(field)]));
  if (!node.isMap || node.item.kind !== "struct") return List(featureOfNode(node.item));
  const [key, value] = node.item.fields;
  return { key: featureOfNode(key[1]), value: featureOfNode(value[1]), _type: "Map" };
}
var featuresOfNodes;
var init_nodes = __esm({
  "src/data/formats/parquet/nodes.ts"() {
    "use strict";
    init_feature();
    init_elements();
    featuresOfNodes = (nodes) => Object.fromEntries(nodes.map(([name, node]) => [name, featureOfNode(node)]));
  }
});

// src/data/formats/parquet/file-features.ts
async function featuresOfFile(nodes, metadata) {
  const own = featuresOfNodes(nodes);
  const values = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
  const arrow = await arrowFeatures(values.get("ARROW:schema"));
  const exact = arrow ? refineStruct(own, arrow) : own;
  return withHuggingFace(exact, values.get("huggingface"));
}
async function arrowFeatures(message) {
  if (message === void 0) return void 0;
  try {
    return await decodeSchemaMessage(message);
  } catch {
    return void 0;
  }
}
function refine(own, said) {
  const { core, nullable } = splitNullable(own);
  const other = splitNullable(said).core;
  const exact = refineCore(core, other);
  return nullable ? Nullable(exact) : exact;
}
function refineCore(core, said) {
  if (isA(core, "Value") && isA(said, "Value"))
    return isStoredAs(dtypeParts(said.dtype), dtypeParts(core.dtype)) ? said : core;
  if (isA(said, "Json") && isA(core, "Value")) return core.dtype === "string" ? said : core;
  if (isList(core) && isList(said)) return { ...said, feature: refine(core.feature, said.feature) };
  if (isA(core, "Map") && isA(said, "Map"))
    return {
      key: refine(core.key, said.key),
      value: refine(core.value, said.value),
      _type: "Map"
    };
  return isStruct(core) && isStruct(said) ? refineStruct(core, said) : core;
}
function isStoredAs(arrow, stored) {
  if (arrow.kind === "duration") return stored.kind === "int" && stored.bits === 64;
  if (arrow.kind === "timestamp" && stored.kind === "timestamp")
    return arrow.unit === stored.unit || arrow.unit === "s" && stored.unit === "ms";
  if (arrow.kind === "time" && stored.kind === "time")
    return arrow.unit === stored.unit || arrow.unit === "s" && stored.unit === "ms";
  if (arrow.kind === "null") return stored.kind === "int" || stored.kind === "null";
  if (arrow.kind === "decimal" && stored.kind === "decimal")
    return arrow.precision === stored.precision && arrow.scale === stored.scale;
  if (arrow.kind === "int" && stored.kind === "int")
    return arrow.bits === stored.bits && arrow.signed === stored.signed;
  if (arrow.kind === "float" && stored.kind === "float") return arrow.bits === stored.bits;
  return arrow.kind === stored.kind;
}
var refineStruct;
var init_file_features = __esm({
  "src/data/formats/parquet/file-features.ts"() {
    "use strict";
    init_dtypes();
    init_feature();
    init_schema();
    init_nodes();
    refineStruct = (own, said) => Object.fromEntries(
      Object.entries(own).map(([name, feature]) => [name, said[name] ? refine(feature, said[name]) : feature])
    );
  }
});

// src/data/batch/batch.ts
function rowsOf(batch) {
  const names = Object.keys(batch.columns);
  const columns = names.map((name) => plainIntegers(batch.columns[name]));
  const rows = new Array(batch.length);
  for (let i = 0; i < batch.length; i++) {
    const row = {};
    for (let c = 0; c < names.length; c++) row[names[c]] = columns[c][i];
    rows[i] = row;
  }
  return rows;
}
function plainIntegers(column) {
  if (!(column instanceof BigInt64Array || column instanceof BigUint64Array)) return column;
  return Array.from(column, plainInteger);
}
function plainInteger(value) {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
function batchOf(rows, features) {
  const columns = {};
  for (const [name, feature] of Object.entries(features)) {
    const values = new Array(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = rows[i][name] ?? null;
    columns[name] = compactColumn(values, feature);
  }
  return { length: rows.length, columns };
}
function compactColumn(values, feature) {
  const { core } = splitNullable(feature);
  const isLabel = isA(core, "ClassLabel");
  if (!isLabel && !isA(core, "Value")) return values;
  const parts = isLabel ? { kind: "int", bits: 64, signed: true } : dtypeParts(core.dtype);
  return parts.kind === "int" || parts.kind === "float" ? compactNumbers(values, parts) : values;
}
function integers64(values, signed) {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const number = Number(values[i]);
    if (!Number.isSafeInteger(number)) {
      const exact = Array.from(values, (value) => BigInt(value));
      return signed ? BigInt64Array.from(exact) : BigUint64Array.from(exact);
    }
    numbers[i] = number;
  }
  return numbers;
}
function numberArrayOf(parts) {
  if (parts.kind === "float") return parts.bits === 64 ? Float64Array : Float32Array;
  switch (parts.bits) {
    case 8:
      return parts.signed ? Int8Array : Uint8Array;
    case 16:
      return parts.signed ? Int16Array : Uint16Array;
    case 32:
      return parts.signed ? Int32Array : Uint32Array;
    default:
      return Float64Array;
  }
}
function listOfNumbers(feature) {
  const { core } = splitNullable(feature);
  if (!isList(core)) return void 0;
  const element = splitNullable(core.feature).core;
  const parts = isA(element, "Value") ? dtypeParts(element.dtype) : void 0;
  return parts?.kind === "int" || parts?.kind === "float" ? parts : void 0;
}
function compactNumbers(values, parts) {
  for (const value of values) if (value === null || value === void 0) return values;
  if (parts.kind === "int" && parts.bits === 64) return integers64(values, parts.signed);
  return numberArrayOf(parts).from(values);
}
function sliceBatch(batch, from, to) {
  const columns = {};
  for (const [name, column] of Object.entries(batch.columns))
    columns[name] = ArrayBuffer.isView(column) ? column.subarray(from, to) : column.slice(from, to);
  return { length: Math.min(to, batch.length) - from, columns };
}
var init_batch = __esm({
  "src/data/batch/batch.ts"() {
    "use strict";
    init_dtypes();
    init_feature();
  }
});

// src/data/formats/row-ranges.ts
function groupRanges(groups, size, fileBytes) {
  const total = groups.reduce((sum, { rows }) => sum + rows, 0);
  if (total === 0) return [{ from: 0, to: 0, bytes: fileBytes, rows: 0 }];
  if (size.rows !== void 0) return rowRanges(total, size.rows, fileBytes);
  const ranges = [];
  for (const { first, rows, bytes } of groups) {
    if (rows === 0) continue;
    const last = ranges.at(-1);
    if (last && last.bytes + bytes <= (size.bytes ?? Number.POSITIVE_INFINITY)) {
      last.to += rows;
      last.rows += rows;
      last.bytes += bytes;
    } else {
      ranges.push({ from: first, to: first + rows, bytes, rows });
    }
  }
  return ranges;
}
function rowRanges(total, rows, fileBytes) {
  return Array.from({ length: Math.ceil(total / rows) }, (_2, i) => {
    const [from, to] = [i * rows, Math.min(total, (i + 1) * rows)];
    return { from, to, bytes: Math.round(fileBytes * (to - from) / total), rows: to - from };
  });
}
var init_row_ranges = __esm({
  "src/data/formats/row-ranges.ts"() {
    "use strict";
  }
});

// src/data/features/moments.ts
function timestampOf(units3, unit) {
  const perMs = BigInt(unitsPerSecond[unit]) / 1000n;
  if (perMs === 0n) return dateOr(units3 * 1000n, units3);
  return units3 % perMs === 0n ? dateOr(units3 / perMs, units3) : units3;
}
function dateOr(ms, units3) {
  return ms >= -8640000000000000n && ms <= 8640000000000000n ? new Date(Number(ms)) : units3;
}
function unitsOf(timestamp, unit) {
  if (typeof timestamp === "bigint") return timestamp;
  const ms = BigInt(timestamp.getTime());
  return unit === "s" ? ms / 1000n : ms * (BigInt(unitsPerSecond[unit]) / 1000n);
}
function unscaled(text, scale) {
  const [whole, fraction = ""] = text.replace("-", "").split(".");
  const digits = BigInt(whole + fraction.padEnd(Math.max(0, scale), "0"));
  const count = scale < 0 ? digits / 10n ** BigInt(-scale) : digits;
  return text.startsWith("-") ? -count : count;
}
function decimalText(count, scale) {
  if (scale <= 0) return String(count * 10n ** BigInt(-scale));
  const digits = String(count < 0n ? -count : count).padStart(scale + 1, "0");
  return `${count < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
var init_moments = __esm({
  "src/data/features/moments.ts"() {
    "use strict";
    init_batch();
    init_dtypes();
  }
});

// src/data/formats/parquet/values.ts
import { isUtf8 as isUtf82 } from "node:buffer";
function convertDense(dense, element, feature) {
  if (isA(feature, "ClassLabel")) return integers64(dense, true);
  if (isA(feature, "Json")) return each(dense, (bytes) => JSON.parse(textOf(bytes)));
  return convertByType(dense, element, dtypeParts(feature.dtype));
}
function convertByType(dense, element, parts) {
  switch (parts.kind) {
    case "int":
      return convertInts(dense, parts);
    case "float":
      return parts.bits === 16 ? Float32Array.from(dense, float16) : dense;
    case "string":
      return each(dense, (bytes) => textOf(bytes));
    case "binary":
      return each(dense, (bytes) => Buffer.from(bytes));
    case "decimal":
      return each(dense, (value) => decimalText(unscaledOf(value), element.scale ?? logicalScale(element)));
    case "date":
      return each(dense, (value) => new Date(element.type === "INT32" ? Number(value) * 864e5 : Number(value)));
    case "time":
      return each(dense, parts.unit === "s" ? (value) => Number(value) / 1e3 : Number);
    case "timestamp":
      return convertTimestamps(dense, element, parts.unit);
    case "duration":
      return integers64(dense, true);
    case "null":
    case "bool":
      return dense;
  }
}
function convertInts(dense, { bits, signed }) {
  if (bits === 64) {
    if (dense instanceof Int32Array) return Float64Array.from(dense);
    const exact = dense;
    return signed ? integersOf(exact) : integers64(new BigUint64Array(exact.buffer, exact.byteOffset, exact.length), false);
  }
  const target = numberArrayOf({ kind: "int", bits, signed });
  if (bits === 32 && dense instanceof Int32Array)
    return signed ? dense : new Uint32Array(dense.buffer, dense.byteOffset, dense.length);
  return target.from(Array.from(dense, Number));
}
function integersOf(exact) {
  const halves = new Int32Array(exact.buffer, exact.byteOffset, exact.length * 2);
  const numbers = new Float64Array(exact.length);
  for (let i = 0; i < numbers.length; i++) {
    const high = halves[2 * i + 1];
    if (high < -2097152 || high >= 2097152) return exact;
    numbers[i] = high * 4294967296 + (halves[2 * i] >>> 0);
  }
  return numbers;
}
function convertTimestamps(dense, element, unit) {
  if (element.type === "INT96") return each(dense, (bytes) => timestampOf(int96Nanos(bytes), "ns"));
  const logical = element.logical_type;
  const stored = logical?.type === "TIMESTAMP" ? logical.unit : element.converted_type === "TIMESTAMP_MICROS" ? "MICROS" : "MILLIS";
  const storedUnit = stored === "NANOS" ? "ns" : stored === "MICROS" ? "us" : "ms";
  if (unit === "s") return each(dense, (value) => new Date(Number(value)));
  return each(dense, (value) => timestampOf(value, storedUnit));
}
function int96Nanos(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  return (BigInt(view.getInt32(8, true)) - 2440588n) * 86400000000000n + view.getBigInt64(0, true);
}
function unscaledOf(value) {
  if (typeof value === "number" || typeof value === "bigint") return BigInt(value);
  const bytes = value;
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(
    8 * bytes.length,
    BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`)
  );
}
function float16(bytes) {
  const half = bytes[0] | bytes[1] << 8;
  const sign = half & 32768 ? -1 : 1;
  const exponent = half >> 10 & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
function textOf(bytes) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  if (text.includes("\uFFFD") && !isUtf82(bytes))
    throw new Error(`text that is not valid UTF-8: ${JSON.stringify(text.slice(0, 60))}`);
  return text;
}
function each(dense, convert) {
  const values = new Array(dense.length);
  const known2 = /* @__PURE__ */ new Map();
  let repeats = 0;
  for (let i = 0; i < dense.length; i++) {
    const stored = dense[i];
    if (typeof stored !== "object" || i > 1e3 && repeats === 0) {
      values[i] = convert(stored);
      continue;
    }
    const before = known2.get(stored);
    if (before !== void 0) {
      repeats++;
      values[i] = before;
      continue;
    }
    values[i] = convert(stored);
    known2.set(stored, values[i]);
  }
  return values;
}
var logicalScale;
var init_values = __esm({
  "src/data/formats/parquet/values.ts"() {
    "use strict";
    init_batch();
    init_dtypes();
    init_feature();
    init_moments();
    logicalScale = ({ logical_type: logical }) => logical?.type === "DECIMAL" ? logical.scale : 0;
  }
});

// src/data/formats/parquet/assemble.ts
function assembleColumn(node, feature, leaf) {
  return valuesOf(node, feature, leaf);
}
function valuesOf(node, feature, leaf) {
  const { core } = splitNullable(feature);
  if (node.kind === "leaf") return leafValues(node, core, leaf(node));
  return node.kind === "list" ? listValues(node, core, leaf) : structValues(node, core, leaf);
}
function slotsOf({ slotDef, rep }, data) {
  const { def, rep: levels, entries } = data;
  if (levels === void 0) return { count: entries, entries: void 0 };
  const found = new Int32Array(entries);
  let count = 0;
  for (let i = 0; i < entries; i++)
    if (levels[i] <= rep && (def === void 0 || def[i] >= slotDef)) found[count++] = i;
  return count === entries ? { count, entries: void 0 } : { count, entries: found.subarray(0, count) };
}
function leafValues(node, core, data) {
  const dense = convertDense(data.values, node.element, core);
  const { def } = data;
  if (def === void 0) return dense;
  const plain2 = plainerOf(dense);
  const values = [];
  let next = 0;
  for (let i = 0; i < def.length; i++) {
    const level = def[i];
    if (level === data.maxDef) values.push(plain2(dense[next++]));
    else if (level >= node.slotDef) values.push(null);
  }
  return values.length === dense.length && next === dense.length && ArrayBuffer.isView(dense) ? dense : values;
}
function plainerOf(values) {
  const isWide = values instanceof BigInt64Array || values instanceof BigUint64Array;
  return isWide ? (value) => plainInteger(value) : (value) => value;
}
function listValues(node, core, leaf) {
  const data = leaf(firstLeaf(node));
  const { def, rep } = data;
  const items = valuesOf(node.item, itemFeature(core), leaf);
  const take = takerOf(items, core);
  const lists = [];
  let from = 0;
  let to = 0;
  let isOpen = false;
  const close = () => {
    if (isOpen) lists.push(take(from, to));
    from = to;
    isOpen = false;
  };
  for (let i = 0; i < data.entries; i++) {
    const level = def === void 0 ? data.maxDef : def[i];
    if (rep[i] <= node.rep) {
      close();
      if (level < node.slotDef) continue;
      if (level < node.ownDef) lists.push(null);
      else isOpen = true;
    }
    if (level >= node.item.slotDef && rep[i] <= node.item.rep) to++;
  }
  close();
  return lists;
}
function itemFeature(core) {
  return isList(core) ? core.feature : { key: core.key, value: core.value };
}
function takerOf(items, core) {
  if (items instanceof BigInt64Array || items instanceof BigUint64Array)
    return (from, to) => integers64(items.subarray(from, to), items instanceof BigInt64Array);
  if (ArrayBuffer.isView(items)) {
    const numbers2 = items;
    return (from, to) => numbers2.subarray(from, to);
  }
  const all = items;
  const numbers = listOfNumbers(core);
  return (from, to) => numbers ? compactNumbers(all.slice(from, to), numbers) : all.slice(from, to);
}
function structValues(node, core, leaf) {
  const columns = node.fields.map(([name, field]) => {
    const values = valuesOf(field, core[name], leaf);
    return [name, values, plainerOf(values)];
  });
  const data = leaf(firstLeaf(node));
  const { count, entries } = slotsOf(node, data);
  const structs = new Array(count);
  let next = 0;
  for (let i = 0; i < count; i++) {
    const level = data.def === void 0 ? data.maxDef : data.def[entries ? entries[i] : i];
    if (level < node.ownDef) {
      structs[i] = null;
      continue;
    }
    const struct = {};
    for (const [name, values, plain2] of columns) struct[name] = plain2(values[next]);
    structs[i] = struct;
    next++;
  }
  return structs;
}
var firstLeaf;
var init_assemble = __esm({
  "src/data/formats/parquet/assemble.ts"() {
    "use strict";
    init_batch();
    init_feature();
    init_values();
    firstLeaf = (node) => node.kind === "leaf" ? node : firstLeaf(node.kind === "list" ? node.item : node.fields[0][1]);
  }
});

// src/data/formats/parquet/levels.ts
function readHybrid(bytes, from, width, target) {
  const mask = width === 32 ? 4294967295 : 2 ** width - 1;
  const runBytes = width + 7 >> 3;
  let at = from;
  for (let seen = 0; seen < target.length; ) {
    if (at >= bytes.length) throw new RangeError("a page ends in the middle of its levels or indices");
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      header |= (byte & 127) << shift;
      if (byte < 128 || shift > 28) break;
    }
    if ((header & 1) === 0) {
      let value = 0;
      for (let i = 0; i < runBytes; i++) value |= bytes[at++] << 8 * i;
      const end = Math.min(target.length, seen + (header >>> 1));
      if (end === seen) throw new RangeError("a run of nothing");
      target.fill(value, seen, end);
      seen = end;
      continue;
    }
    const count = Math.min(target.length - seen, (header >>> 1) * 8);
    if (width > 24) unpackWide(bytes, at, width, target, seen, count);
    else if (width === 1) unpackBits(bytes, at, target, seen, count);
    else unpack(bytes, at, width, mask, target, seen, count);
    at += (header >>> 1) * width;
    seen += count;
  }
}
function unpackBits(bytes, from, target, seen, count) {
  let at = from;
  for (let i = seen, end = seen + count; i < end; ) {
    let byte = bytes[at++];
    for (const stop = Math.min(end, i + 8); i < stop; byte >>= 1) target[i++] = byte & 1;
  }
}
function unpack(bytes, from, width, mask, target, seen, count) {
  let at = from;
  let kept = 0;
  let bits = 0;
  for (let i = seen, end = seen + count; i < end; i++) {
    while (bits < width) {
      kept |= bytes[at++] << bits;
      bits += 8;
    }
    target[i] = kept & mask;
    kept >>>= width;
    bits -= width;
  }
}
function unpackWide(bytes, from, width, target, seen, count) {
  let at = from;
  let kept = 0;
  let bits = 0;
  for (let i = seen, end = seen + count; i < end; i++) {
    for (; bits < width; bits += 8) kept += bytes[at++] * 2 ** bits;
    target[i] = kept % 2 ** width;
    kept = Math.floor(kept / 2 ** width);
    bits -= width;
  }
}
function writeHybrid(values, from, to, width) {
  const out = Buffer.allocUnsafe(64 + Math.ceil((to - from) * Math.max(1, width) / 8) + (to - from) / 4);
  let at = 0;
  const header = (value) => {
    let rest2 = value;
    for (; rest2 > 127; rest2 >>>= 7) out[at++] = rest2 & 127 | 128;
    out[at++] = rest2;
  };
  const packed = (start, end) => {
    const groups = Math.ceil((end - start) / 8);
    header(groups << 1 | 1);
    let kept = 0;
    let bits = 0;
    for (let i = start; i < start + groups * 8; i++) {
      kept += (i < end ? values[i] : 0) * 2 ** bits;
      for (bits += width; bits >= 8; bits -= 8) {
        out[at++] = kept % 256;
        kept = Math.floor(kept / 256);
      }
    }
  };
  for (let start = from; start < to; ) {
    let end = start;
    for (; ; ) {
      const run2 = runLength(values, end, to);
      if (run2 >= MIN_RUN) break;
      end = Math.min(to, end + 8);
      if (end >= to) break;
    }
    if (end > start) packed(start, end);
    start = end;
    if (start >= to) break;
    const run = runLength(values, start, to);
    header(run << 1);
    for (let i = 0; i < width + 7 >> 3; i++) out[at++] = values[start] >>> 8 * i & 255;
    start += run;
  }
  return out.subarray(0, at);
}
function runLength(values, from, to) {
  const value = values[from];
  let end = from + 1;
  while (end < to && values[end] === value) end++;
  return end - from;
}
function writeRun(value, count, width) {
  const bytes = [];
  let rest2 = count * 2;
  for (; rest2 > 127; rest2 = Math.floor(rest2 / 128)) bytes.push(rest2 % 128 | 128);
  bytes.push(rest2);
  for (let i = 0; i < width + 7 >> 3; i++) bytes.push(value >>> 8 * i & 255);
  return Buffer.from(bytes);
}
var bitWidth, MIN_RUN;
var init_levels = __esm({
  "src/data/formats/parquet/levels.ts"() {
    "use strict";
    bitWidth = (most) => 32 - Math.clz32(most);
    MIN_RUN = 16;
  }
});

// src/data/formats/parquet/max-levels.ts
var maxLevels;
var init_max_levels = __esm({
  "src/data/formats/parquet/max-levels.ts"() {
    "use strict";
    maxLevels = ({ ownDef, rep }) => ({ def: ownDef, rep });
  }
});

// src/data/formats/parquet/plain.ts
function readPlain(bytes, from, count, { type, type_length }) {
  switch (type) {
    case "BOOLEAN": {
      need(bytes, from, Math.ceil(count / 8));
      return Array.from({ length: count }, (_2, i) => (bytes[from + (i >> 3)] >> (i & 7) & 1) === 1);
    }
    case "BYTE_ARRAY":
      return readByteArrays(bytes, from, count);
    case "INT96":
      return readFixed(bytes, from, count, 12);
    case "FIXED_LEN_BYTE_ARRAY":
      return readFixed(bytes, from, count, type_length ?? 0);
    default: {
      const array = arrays[type];
      const size = count * array.BYTES_PER_ELEMENT;
      need(bytes, from, size);
      return new array(bytes.slice(from, from + size).buffer);
    }
  }
}
function readByteArrays(bytes, from, count) {
  const values = new Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  for (let i = 0; i < count; i++) {
    need(bytes, at, 4);
    const length = view.getUint32(at, true);
    need(bytes, at + 4, length);
    values[i] = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return values;
}
function readFixed(bytes, from, count, length) {
  need(bytes, from, count * length);
  return Array.from({ length: count }, (_2, i) => bytes.subarray(from + i * length, from + (i + 1) * length));
}
function need(bytes, from, length) {
  if (from + length > bytes.length) throw new RangeError("a page ends in the middle of its values");
}
function pickDense(dictionary, indices) {
  const { length } = dictionary;
  if (ArrayBuffer.isView(dictionary)) {
    const picked2 = new dictionary.constructor(indices.length);
    const numbers = dictionary;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i];
      if (index >= length || index < 0) throw new RangeError("an index is not in its dictionary");
      picked2[i] = numbers[index];
    }
    return picked2;
  }
  const picked = new Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (index >= length || index < 0) throw new RangeError("an index is not in its dictionary");
    picked[i] = dictionary[index];
  }
  return picked;
}
function joinDense(parts) {
  const [first] = parts;
  if (first === void 0) return [];
  if (!ArrayBuffer.isView(first))
    return [].concat(...parts);
  const joined = new first.constructor(
    parts.reduce((sum, { length }) => sum + length, 0)
  );
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
var arrays;
var init_plain = __esm({
  "src/data/formats/parquet/plain.ts"() {
    "use strict";
    arrays = { INT32: Int32Array, INT64: BigInt64Array, FLOAT: Float32Array, DOUBLE: Float64Array };
  }
});

// src/data/formats/parquet/pages.ts
function readColumnChunk(engine, bytes, leaf, chunk) {
  const levels = maxLevels(leaf);
  const entries = Number(chunk.num_values);
  const pages = [];
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  let dictionary;
  for (let seen = 0; seen < entries; ) {
    if (reader.offset >= bytes.length) throw new Error(`it has ${seen} of ${entries} values`);
    const header = engine.parquetHeader(reader);
    const size = header.compressed_page_size;
    if (!(size >= 0) || reader.offset + size > bytes.length) throw new Error("a page is larger than its column");
    const body = bytes.subarray(reader.offset, reader.offset + size);
    reader.offset += size;
    const decoder = new PageDecoder(engine, leaf, chunk.codec, levels);
    if (header.type === "DICTIONARY_PAGE") {
      dictionary = decoder.dictionary(body, header);
      continue;
    }
    if (header.type !== "DATA_PAGE" && header.type !== "DATA_PAGE_V2") continue;
    const page = header.type === "DATA_PAGE" ? decoder.pageV1(body, header, dictionary) : decoder.pageV2(body, header, dictionary);
    pages.push(page);
    seen += page.entries;
  }
  return { ...joinPages(pages, levels), entries, maxDef: levels.def };
}
function joinPages(pages, levels) {
  if (pages.length === 1) return pages[0];
  const hasDef = pages.some(({ def }) => def !== void 0);
  return {
    values: joinDense(pages.map(({ values }) => values)),
    def: hasDef ? joinBytes(pages.map(({ def, entries }) => def ?? new Uint8Array(entries).fill(levels.def))) : void 0,
    rep: pages.some(({ rep }) => rep !== void 0) ? joinBytes(pages.map(({ rep, entries }) => rep ?? new Uint8Array(entries))) : void 0
  };
}
function joinBytes(parts) {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
function uint32(bytes, at) {
  if (at + 4 > bytes.length) throw new Error("a page ends in the middle of its levels");
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}
function countOf(levels, level) {
  let count = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i] === level) count++;
  return count;
}
var PageDecoder;
var init_pages = __esm({
  "src/data/formats/parquet/pages.ts"() {
    "use strict";
    init_levels();
    init_max_levels();
    init_plain();
    PageDecoder = class {
      #engine;
      #leaf;
      #codec;
      #levels;
      constructor(engine, leaf, codec2, levels) {
        this.#engine = engine;
        this.#leaf = leaf;
        this.#codec = codec2;
        this.#levels = levels;
      }
      dictionary(body, header) {
        const bytes = this.#unpack(body, header.uncompressed_page_size);
        return readPlain(bytes, 0, header.dictionary_page_header.num_values, this.#leaf.element);
      }
      pageV1(body, header, dictionary) {
        const { num_values: entries, encoding } = header.data_page_header;
        const bytes = this.#unpack(body, header.uncompressed_page_size);
        let at = 0;
        const level = (most) => {
          if (most === 0) return void 0;
          const length = uint32(bytes, at);
          const levels = new Uint8Array(entries);
          readHybrid(bytes.subarray(0, at + 4 + length), at + 4, bitWidth(most), levels);
          at += 4 + length;
          return levels;
        };
        const rep = level(this.#levels.rep);
        const def = level(this.#levels.def);
        return this.#page(bytes.subarray(at), { rep, def, entries, encoding }, dictionary);
      }
      /** Levels come first and are never packed. */
      pageV2(body, header, dictionary) {
        const v2 = header.data_page_header_v2;
        const {
          num_values: entries,
          encoding,
          repetition_levels_byte_length: repBytes,
          definition_levels_byte_length: defBytes
        } = v2;
        const levels = (most, from, length) => {
          if (most === 0) return void 0;
          const target = new Uint8Array(entries);
          readHybrid(body.subarray(0, from + length), from, bitWidth(most), target);
          return target;
        };
        const rep = levels(this.#levels.rep, 0, repBytes);
        const def = levels(this.#levels.def, repBytes, defBytes);
        const rest2 = body.subarray(repBytes + defBytes);
        const size = header.uncompressed_page_size - repBytes - defBytes;
        const bytes = v2.is_compressed === false || rest2.length === 0 ? rest2 : this.#unpack(rest2, size);
        return this.#page(bytes, { rep, def, entries, encoding }, dictionary);
      }
      #page(bytes, page, dictionary) {
        const { entries, rep, encoding } = page;
        const present = page.def ? countOf(page.def, this.#levels.def) : entries;
        const def = present === entries ? void 0 : page.def;
        return { values: this.#values(bytes, encoding, present, dictionary), def, rep, entries };
      }
      #values(bytes, encoding, count, dictionary) {
        const { element } = this.#leaf;
        const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
        switch (encoding) {
          case "PLAIN":
            return readPlain(bytes, 0, count, element);
          case "PLAIN_DICTIONARY":
          case "RLE_DICTIONARY": {
            if (!dictionary) throw new Error("a page refers to a dictionary that is not there");
            const indices = new Int32Array(count);
            if (count > 0 && bytes[0] > 0) readHybrid(bytes, 1, bytes[0], indices);
            return pickDense(dictionary, indices);
          }
          case "RLE": {
            const bits = new Uint8Array(count);
            if (count > 0) readHybrid(bytes, 4, 1, bits);
            return Array.from(bits, (bit) => bit === 1);
          }
          case "DELTA_BINARY_PACKED": {
            const values = element.type === "INT32" ? new Int32Array(count) : new BigInt64Array(count);
            if (count > 0) this.#engine.deltaBinaryUnpack(reader, count, values);
            return values;
          }
          case "DELTA_LENGTH_BYTE_ARRAY":
          case "DELTA_BYTE_ARRAY": {
            const values = new Array(count);
            if (count === 0) return values;
            if (encoding === "DELTA_BYTE_ARRAY") this.#engine.deltaByteArray(reader, count, values);
            else this.#engine.deltaLengthByteArray(reader, count, values);
            return values;
          }
          case "BYTE_STREAM_SPLIT":
            return this.#engine.byteStreamSplit(reader, count, element.type, element.type_length);
        }
        throw new Error(`the encoding ${encoding} is not known`);
      }
      #unpack(bytes, size) {
        if (this.#codec === "UNCOMPRESSED" || size === 0) return bytes;
        const decompress = this.#engine.decompressors[this.#codec];
        if (!decompress) throw new Error(`the codec ${this.#codec} is not known`);
        const { buffer, byteOffset, length } = decompress(bytes, size);
        if (length !== size) throw new Error(`a page unpacks to ${length} bytes, not ${size}`);
        return new Uint8Array(buffer, byteOffset, length);
      }
    };
  }
});

// src/data/formats/parquet/reader.ts
function startOf({ data_page_offset: data, dictionary_page_offset: dictionary }) {
  return Number(dictionary !== void 0 && dictionary > 0n && dictionary < data ? dictionary : data);
}
var ParquetReader;
var init_reader = __esm({
  "src/data/formats/parquet/reader.ts"() {
    "use strict";
    init_errors();
    init_batch();
    init_row_ranges();
    init_assemble();
    init_nodes();
    init_pages();
    ParquetReader = class {
      unit = "row";
      #options;
      #groups;
      constructor(options) {
        this.#options = options;
        let first = 0;
        this.#groups = options.metadata.row_groups.map((group) => {
          const rows = Number(group.num_rows);
          const bytes = group.columns.reduce(
            (sum, { meta_data }) => sum + Number(meta_data?.total_compressed_size ?? 0),
            0
          );
          first += rows;
          return { first: first - rows, rows, bytes, group };
        });
      }
      get name() {
        return this.#options.file.name;
      }
      get end() {
        return this.rowCount;
      }
      get rowCount() {
        return Number(this.#options.metadata.num_rows);
      }
      get features() {
        return this.#options.features;
      }
      get undivided() {
        return this.#groups.length === 1 ? "a parquet file of one row group cannot be opened in its middle" : void 0;
      }
      async slices(size) {
        return groupRanges(this.#groups, size, this.#options.file.size);
      }
      async *batches({ from = 0, to = this.end, columns, batchRows }) {
        for (const { first, rows, group } of this.#groups) {
          const [start, end] = [Math.max(0, from - first), Math.min(rows, to - first)];
          if (start >= end) continue;
          const whole = { length: rows, columns: await this.#columnsOf(group, columns) };
          const step = batchRows ?? end - start;
          for (let at = start; at < end; at += step) {
            const stop = Math.min(end, at + step);
            yield { ...at === 0 && stop === rows ? whole : sliceBatch(whole, at, stop), first: first + at };
          }
        }
      }
      async #columnsOf(group, wanted) {
        const { nodes, features } = this.#options;
        const columns = {};
        const byName = new Map(nodes);
        for (const name of wanted ?? nodes.map(([name2]) => name2)) {
          const node = byName.get(name);
          if (!node) {
            columns[name] = new Array(Number(group.num_rows)).fill(null);
            continue;
          }
          columns[name] = await this.#column(group, name, node, features);
          if (columns[name].length !== Number(group.num_rows))
            throw this.#bad(`column ${name} has ${columns[name].length} values in a row group of ${group.num_rows} rows`);
        }
        return columns;
      }
      async #column(group, name, node, features) {
        const leaves = /* @__PURE__ */ new Map();
        try {
          for (const leaf of leavesOf(node)) leaves.set(leaf, await this.#leaf(group, leaf));
          return assembleColumn(node, features[name], (leaf) => leaves.get(leaf));
        } catch (error) {
          if (KagurazakaError.is(error)) throw error;
          throw this.#bad(`column ${name} cannot be read: ${error.message}`, error);
        }
      }
      async #leaf(group, leaf) {
        const { file, engine } = this.#options;
        const wanted = leaf.path.join("\0");
        const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join("\0") === wanted)?.meta_data;
        if (!chunk) throw new Error("it has no chunk, or is encrypted");
        const [from, length] = [startOf(chunk), Number(chunk.total_compressed_size)];
        if (from < 0 || length < 0 || from + length > file.size) throw new Error("it lies behind the end of the file");
        const { buffer, byteOffset, byteLength } = await file.read(from, length);
        if (byteLength < length) throw new Error("the file is shorter than it was");
        return readColumnChunk(engine, new Uint8Array(buffer, byteOffset, byteLength), leaf, chunk);
      }
      #bad(what, cause) {
        return new KagurazakaError("bad-data", `${this.name}: ${what}`, { where: this.name, cause });
      }
      async where(_from, position) {
        return `${this.name} row ${position}`;
      }
      async [Symbol.asyncDispose]() {
        await this.#options.file[Symbol.asyncDispose]();
      }
    };
  }
});

// src/data/batch/concat.ts
function concatBatches(batches) {
  const columns = {};
  for (const name of Object.keys(batches[0]?.columns ?? {}))
    columns[name] = concatColumns(batches.map((batch) => batch.columns[name]));
  return { length: batches.reduce((sum, { length }) => sum + length, 0), columns };
}
function concatColumns(columns) {
  const [first] = columns;
  if (!ArrayBuffer.isView(first) || columns.some((column) => column.constructor !== first.constructor))
    return columns.flatMap((column) => Array.from(column));
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const joined = new first.constructor(length);
  let at = 0;
  for (const column of columns) {
    joined.set(column, at);
    at += column.length;
  }
  return joined;
}
var init_concat = __esm({
  "src/data/batch/concat.ts"() {
    "use strict";
  }
});

// src/data/formats/parquet/store-values.ts
function storedValues(values, element, feature) {
  if (isA(feature, "ClassLabel")) return bigints(values);
  if (isA(feature, "Json"))
    return each2(
      values,
      (value) => Buffer.from(JSON.stringify(value, (_2, one) => typeof one === "bigint" ? Number(one) : one))
    );
  return storedByType(values, element, dtypeParts(feature.dtype));
}
function storedByType(values, element, parts) {
  switch (parts.kind) {
    case "null":
      return new Int32Array(0);
    case "bool":
      return values;
    case "int":
      if (parts.bits === 64) return bigints(values);
      return values instanceof Int32Array ? values : Int32Array.from(values);
    case "float":
      return storedFloats(values, parts.bits);
    case "string":
      return each2(values, (text) => Buffer.from(text));
    case "binary":
      return values;
    case "decimal":
      return each2(values, (text) => fixedBytes(unscaled(text, parts.scale), element.type_length));
    case "date":
      return Int32Array.from(values, (date) => Math.floor(date.getTime() / 864e5));
    case "time":
      return storedTimes(values, parts.unit);
    case "timestamp":
      return storedTimestamps(values, parts.unit);
    case "duration":
      return bigints(values);
  }
}
function bigints(values) {
  if (values instanceof BigInt64Array) return values;
  if (values instanceof BigUint64Array) return new BigInt64Array(values.buffer, values.byteOffset, values.length);
  const stored = new BigInt64Array(values.length);
  const halves = new Int32Array(stored.buffer);
  for (let i = 0; i < stored.length; i++) {
    const value = values[i];
    if (typeof value === "bigint") {
      stored[i] = BigInt.asIntN(64, value);
      continue;
    }
    const number = value;
    halves[2 * i] = number | 0;
    halves[2 * i + 1] = Math.floor(number / 4294967296);
    if (Math.abs(number) >= 2147483648) halves[2 * i] = Number(BigInt.asIntN(32, BigInt(number)));
  }
  return stored;
}
function storedFloats(values, bits) {
  if (bits === 64) return values instanceof Float64Array ? values : Float64Array.from(values);
  if (bits === 32) return values instanceof Float32Array ? values : Float32Array.from(values);
  return Array.from(values, float16Bytes);
}
function float16Bytes(value) {
  const sign = value < 0 || Object.is(value, -0) ? 32768 : 0;
  const size = Math.abs(value);
  let half;
  if (Number.isNaN(value)) half = 32256;
  else if (size >= 65520) half = 31744;
  else if (size < pow(-14)) half = even(size / pow(-24));
  else {
    const exponent = Math.floor(Math.log2(size));
    const fraction = even((size / pow(exponent) - 1) * 1024);
    half = (exponent + 15 << 10) + fraction;
  }
  return Uint8Array.of(half & 255, (sign | half) >> 8);
}
function even(value) {
  const low = Math.floor(value);
  const rest2 = value - low;
  return rest2 > 0.5 || rest2 === 0.5 && low % 2 === 1 ? low + 1 : low;
}
function fixedBytes(value, length) {
  const digits = BigInt.asUintN(8 * length, value).toString(16).padStart(2 * length, "0");
  return Buffer.from(digits, "hex");
}
function storedTimes(values, unit) {
  if (unit === "s") return Int32Array.from(values, (value) => value * 1e3);
  return unit === "ms" ? Int32Array.from(values) : bigints(values);
}
function storedTimestamps(values, unit) {
  const scale = unit === "s" ? 1000n : 1n;
  return BigInt64Array.from(Array.from(values, (value) => unitsOf(value, unit) * scale));
}
var each2, pow;
var init_store_values = __esm({
  "src/data/formats/parquet/store-values.ts"() {
    "use strict";
    init_dtypes();
    init_feature();
    init_moments();
    each2 = (values, store) => Array.from(values, store);
    pow = (exponent) => 2 ** exponent;
  }
});

// src/data/formats/parquet/encode.ts
function writeChunk(target, shredded, feature) {
  const { sink, codec: codec2 } = target;
  const { leaf, entries, def } = shredded;
  const from = sink.bytes;
  const out = new PageWriter(target);
  const dictionary = dictionaryOf(shredded.values);
  const stored = storedValues(dictionary?.values ?? shredded.values, leaf.element, feature);
  const isFixed = leaf.element.type === "FIXED_LEN_BYTE_ARRAY";
  if (dictionary) out.dictionary(stored.length, plainBytes(stored, 0, stored.length, isFixed));
  const dataFrom = sink.bytes;
  for (const page of pagesOf(shredded, dictionary?.indices ?? stored)) {
    const values = dictionary ? indexBytes(dictionary, page.valueFrom, page.valueTo) : plainBytes(stored, page.valueFrom, page.valueTo, isFixed);
    const body = Buffer.concat([...levelBytes(shredded, page.from, page.to), values]);
    out.data(page.to - page.from, dictionary ? "RLE_DICTIONARY" : "PLAIN", body);
  }
  return {
    file_offset: BigInt(from),
    meta_data: {
      type: leaf.element.type,
      encodings: dictionary ? ["PLAIN", "RLE", "RLE_DICTIONARY"] : ["PLAIN", "RLE"],
      path_in_schema: [...leaf.path],
      codec: codec2.name,
      num_values: BigInt(entries),
      total_uncompressed_size: BigInt(out.uncompressed),
      total_compressed_size: BigInt(sink.bytes - from),
      data_page_offset: BigInt(dataFrom),
      ...dictionary && { dictionary_page_offset: BigInt(from) },
      statistics: { null_count: BigInt(def ? entries - shredded.values.length : 0) }
    }
  };
}
function dictionaryOf(values) {
  if (values.length < 16 || typeof values[0] !== "string") return void 0;
  const known2 = /* @__PURE__ */ new Map();
  const indices = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    let index = known2.get(value);
    if (index === void 0) {
      index = known2.size;
      known2.set(value, index);
      if (known2.size > MAX_DICTIONARY || i === DICTIONARY_TRIAL && known2.size > DICTIONARY_TRIAL / 2)
        return void 0;
    }
    indices[i] = index;
  }
  if (known2.size > values.length / 2) return void 0;
  return { values: [...known2.keys()], indices, width: Math.max(1, bitWidth(known2.size - 1)) };
}
function indexBytes({ indices, width }, from, to) {
  return Buffer.concat([Buffer.from([width]), writeHybrid(indices, from, to, width)]);
}
function* pagesOf({ def, rep, entries, leaf }, stored) {
  const width = ArrayBuffer.isView(stored) ? stored.BYTES_PER_ELEMENT : 0;
  let [from, valueFrom, value, bytes] = [0, 0, 0, 0];
  for (let entry = 0; entry < entries; entry++) {
    if (bytes >= PAGE_BYTES && (rep === void 0 || rep[entry] === 0)) {
      yield { from, to: entry, valueFrom, valueTo: value };
      [from, valueFrom, bytes] = [entry, value, 0];
    }
    if (def !== void 0 && def[entry] !== leaf.ownDef) continue;
    bytes += width || sizeOf(stored[value]);
    value++;
  }
  yield { from, to: entries, valueFrom, valueTo: value };
}
function levelBytes({ leaf, def, rep }, from, to) {
  const levels = [];
  if (leaf.rep > 0) levels.push(writeHybrid(rep, from, to, bitWidth(leaf.rep)));
  if (leaf.ownDef > 0) {
    const width = bitWidth(leaf.ownDef);
    levels.push(def ? writeHybrid(def, from, to, width) : writeRun(leaf.ownDef, to - from, width));
  }
  return levels.flatMap((packed) => {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(packed.length);
    return [length, packed];
  });
}
function plainBytes(stored, from, to, isFixed) {
  if (ArrayBuffer.isView(stored)) {
    const part = stored.subarray(from, to);
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  }
  if (from < to && typeof stored[from] === "boolean") return bitBytes(stored, from, to);
  return byteArrays(stored, from, to, isFixed);
}
function bitBytes(bits, from, to) {
  const bytes = Buffer.alloc(Math.ceil((to - from) / 8));
  for (let i = from; i < to; i++) if (bits[i]) bytes[i - from >> 3] |= 1 << (i - from & 7);
  return bytes;
}
function byteArrays(values, from, to, isFixed) {
  let size = 0;
  for (let i = from; i < to; i++) size += values[i].length + (isFixed ? 0 : 4);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (!isFixed) at = bytes.writeUInt32LE(value.length, at);
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}
var PAGE_BYTES, DICTIONARY_TRIAL, MAX_DICTIONARY, PageWriter, sizeOf;
var init_encode = __esm({
  "src/data/formats/parquet/encode.ts"() {
    "use strict";
    init_levels();
    init_store_values();
    PAGE_BYTES = 1 << 20;
    DICTIONARY_TRIAL = 1e3;
    MAX_DICTIONARY = 1 << 16;
    PageWriter = class {
      #target;
      /** Bytes of headers and of pages before they were packed. */
      uncompressed = 0;
      constructor(target) {
        this.#target = target;
      }
      dictionary(count, body) {
        this.#put({ type: "DICTIONARY_PAGE", dictionary_page_header: { num_values: count, encoding: "PLAIN" } }, body);
      }
      data(count, encoding, body) {
        const levels = { definition_level_encoding: "RLE", repetition_level_encoding: "RLE" };
        this.#put({ type: "DATA_PAGE", data_page_header: { num_values: count, encoding, ...levels } }, body);
      }
      #put(header, body) {
        const { sink, engine, codec: codec2 } = this.#target;
        const packed = body.length === 0 ? body : codec2.compress(body);
        const writer = new engine.ByteWriter(64);
        engine.writePageHeader(writer, {
          ...header,
          uncompressed_page_size: body.length,
          compressed_page_size: packed.length
        });
        sink.write(writer.getBytes());
        sink.write(packed);
        this.uncompressed += writer.offset + body.length;
      }
    };
    sizeOf = (value) => value instanceof Uint8Array ? value.length + 4 : 1 / 8;
  }
});

// src/data/formats/parquet/schema-nodes.ts
function schemaNodesOf(features) {
  const elements = [{ name: "schema", num_children: Object.keys(features).length }];
  const nodes = Object.entries(features).map(
    ([name, feature]) => [name, add(elements, [name], feature, 0, 0)]
  );
  return { elements, nodes };
}
function add(elements, path, feature, slotDef, rep) {
  const split = splitNullable(feature);
  const { core } = split;
  const nullable = split.nullable || isA(core, "Value") && core.dtype === "null";
  const common = { name: path.at(-1), repetition_type: nullable ? "OPTIONAL" : "REQUIRED" };
  const base = { slotDef, rep, ownDef: slotDef + (nullable ? 1 : 0), nullable };
  if (isList(core)) {
    elements.push({ ...common, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } });
    elements.push({ name: "list", repetition_type: "REPEATED", num_children: 1 });
    const item = add(elements, [...path, "list", "element"], core.feature, base.ownDef + 1, rep + 1);
    return { kind: "list", isMap: false, item, ...base };
  }
  if (isA(core, "Map")) return addMap(elements, path, core, common, base);
  if (isA(core, "Value") || isA(core, "ClassLabel") || isA(core, "Json")) {
    const element = { ...common, ...leafElement(core) };
    elements.push(element);
    return { kind: "leaf", element, path, ...base };
  }
  const fields = Object.entries(core);
  if (fields.length === 0)
    throw new RangeError(`column ${path.join(".")} is a struct without fields, which parquet cannot have`);
  elements.push({ ...common, num_children: fields.length });
  const inner = fields.map(([name, field]) => [name, add(elements, [...path, name], field, base.ownDef, rep)]);
  return { kind: "struct", fields: inner, ...base };
}
function addMap(elements, path, { key, value }, common, base) {
  elements.push({ ...common, num_children: 1, converted_type: "MAP", logical_type: { type: "MAP" } });
  elements.push({ name: "key_value", repetition_type: "REPEATED", num_children: 2 });
  const [slotDef, rep] = [base.ownDef + 1, base.rep + 1];
  const inner = [...path, "key_value"];
  const fields = [
    ["key", add(elements, [...inner, "key"], splitNullable(key).core, slotDef, rep)],
    ["value", add(elements, [...inner, "value"], value, slotDef, rep)]
  ];
  const item = { kind: "struct", fields, slotDef, rep, ownDef: slotDef, nullable: false };
  return { kind: "list", isMap: true, item, ...base };
}
function leafElement(core) {
  if (isA(core, "ClassLabel")) return { type: "INT64" };
  if (isA(core, "Json")) return { type: "BYTE_ARRAY", converted_type: "JSON", logical_type: { type: "JSON" } };
  return elementOfDtype(core.dtype);
}
var init_schema_nodes = __esm({
  "src/data/formats/parquet/schema-nodes.ts"() {
    "use strict";
    init_feature();
    init_elements();
  }
});

// src/data/formats/parquet/shred.ts
function shredColumn(node, column) {
  const fast = shredNumbers(node, column);
  if (fast) return [fast];
  const sinks = new Map(leavesOf(node).map((leaf) => [leaf, new LeafSink(leaf)]));
  for (let i = 0; i < column.length; i++) shred(node, column[i], 0, sinks);
  return [...sinks.values()].map((sink) => sink.finish());
}
function shredNumbers(node, column) {
  if (node.kind === "leaf" && ArrayBuffer.isView(column))
    return { leaf: node, values: column, def: void 0, rep: void 0, entries: column.length };
  return node.kind === "list" && node.item.kind === "leaf" ? shredNumberLists(node, node.item, column) : void 0;
}
function shredNumberLists(node, leaf, column) {
  let items = 0;
  let entries = 0;
  let type;
  for (const list of column) {
    if (list === null) entries++;
    else if (!ArrayBuffer.isView(list)) return void 0;
    else {
      const numbers = list;
      type ??= numbers.constructor;
      if (numbers.constructor !== type) return void 0;
      items += numbers.length;
      entries += Math.max(1, numbers.length);
    }
  }
  if (type === void 0) return void 0;
  const values = new type(items);
  const rep = new Uint8Array(entries).fill(leaf.rep);
  const def = new Uint8Array(entries).fill(leaf.ownDef);
  let at = 0;
  let entry = 0;
  for (const list of column) {
    rep[entry] = node.rep;
    if (list === null || list.length === 0) {
      def[entry++] = list === null ? node.ownDef - 1 : node.ownDef;
      continue;
    }
    values.set(list, at);
    at += list.length;
    entry += list.length;
  }
  return { leaf, values, def: items === entries ? void 0 : def, rep, entries };
}
function shred(node, value, rep, sinks) {
  if (value === null || value === void 0) return absent(node, node.ownDef - 1, rep, sinks);
  if (node.kind === "leaf") return sinks.get(node).add(value, rep);
  if (node.kind === "struct") {
    for (const [name, field] of node.fields) shred(field, value[name], rep, sinks);
    return;
  }
  const items = value;
  if (items.length === 0) return absent(node, node.ownDef, rep, sinks);
  for (let i = 0; i < items.length; i++) shred(node.item, items[i], i === 0 ? rep : node.rep + 1, sinks);
}
function absent(node, def, rep, sinks) {
  for (const leaf of leavesOf(node)) sinks.get(leaf).absent(def, rep);
}
function grown(bytes) {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}
var LeafSink;
var init_shred = __esm({
  "src/data/formats/parquet/shred.ts"() {
    "use strict";
    init_nodes();
    LeafSink = class {
      #leaf;
      #values = [];
      #def = new Uint8Array(1024);
      #rep = new Uint8Array(1024);
      #entries = 0;
      constructor(leaf) {
        this.#leaf = leaf;
      }
      add(value, rep) {
        this.#values.push(value);
        this.absent(this.#leaf.ownDef, rep);
      }
      absent(def, rep) {
        if (this.#entries === this.#def.length) {
          this.#def = grown(this.#def);
          this.#rep = grown(this.#rep);
        }
        this.#def[this.#entries] = def;
        this.#rep[this.#entries++] = rep;
      }
      finish() {
        const entries = this.#entries;
        const isFull = this.#values.length === entries;
        return {
          leaf: this.#leaf,
          values: this.#values,
          def: isFull ? void 0 : this.#def.subarray(0, entries),
          rep: this.#leaf.rep === 0 ? void 0 : this.#rep.subarray(0, entries),
          entries
        };
      }
    };
  }
});

// src/data/formats/parquet/lz4.ts
function compressLz4(input) {
  const output = Buffer.allocUnsafe(input.length + Math.ceil(input.length / 255) + 16);
  const table = new Int32Array(1 << HASH_BITS).fill(-1);
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let written2 = 0;
  let anchor = 0;
  for (let at = 0; at < input.length - MATCH_LIMIT; ) {
    const word = view.getUint32(at, true);
    const hash = Math.imul(word, 2654435761) >>> 32 - HASH_BITS;
    const match = table[hash];
    table[hash] = at;
    if (match < 0 || at - match > 65535 || view.getUint32(match, true) !== word) {
      at++;
      continue;
    }
    let length = MIN_MATCH;
    while (at + length < input.length - LAST_LITERALS && input[match + length] === input[at + length]) length++;
    written2 = sequence(input, anchor, at, output, written2, { offset: at - match, length });
    at += length;
    anchor = at;
  }
  return output.subarray(0, sequence(input, anchor, input.length, output, written2));
}
function sequence(input, from, to, output, at, match) {
  const literals = to - from;
  const extra = match ? match.length - MIN_MATCH : 0;
  let next = at;
  output[next++] = Math.min(15, literals) << 4 | Math.min(15, extra);
  next = rest(output, next, literals);
  output.set(input.subarray(from, to), next);
  next += literals;
  if (!match) return next;
  next = output.writeUInt16LE(match.offset, next);
  return rest(output, next, extra);
}
function rest(output, at, length) {
  let next = at;
  if (length < 15) return next;
  let left = length - 15;
  for (; left >= 255; left -= 255) output[next++] = 255;
  output[next++] = left;
  return next;
}
var HASH_BITS, MIN_MATCH, LAST_LITERALS, MATCH_LIMIT;
var init_lz4 = __esm({
  "src/data/formats/parquet/lz4.ts"() {
    "use strict";
    HASH_BITS = 14;
    MIN_MATCH = 4;
    LAST_LITERALS = 5;
    MATCH_LIMIT = 12;
  }
});

// src/data/formats/parquet/write-engine.ts
import zlib4 from "node:zlib";
async function loadWriteEngine() {
  const [{ snappyCompress }, { writePageHeader }, { writeMetadata }, { ByteWriter }] = await Promise.all([
    import("hyparquet-writer/src/snappy.js"),
    import("hyparquet-writer/src/datapage.js"),
    import("hyparquet-writer/src/metadata.js"),
    import("hyparquet-writer/src/bytewriter.js")
  ]);
  return { snappyCompress, writePageHeader, writeMetadata, ByteWriter };
}
async function codecNamed(name, engine) {
  switch (name) {
    case "snappy":
      return { name: "SNAPPY", compress: engine.snappyCompress };
    case "gzip":
      return { name: "GZIP", compress: (page) => zlib4.gzipSync(page) };
    case "zstd":
      return { name: "ZSTD", compress: await compressZstd() };
    case "lz4":
      return { name: "LZ4_RAW", compress: compressLz4 };
  }
  return { name: "UNCOMPRESSED", compress: (page) => page };
}
var init_write_engine = __esm({
  "src/data/formats/parquet/write-engine.ts"() {
    "use strict";
    init_zstd();
    init_lz4();
  }
});

// src/data/formats/parquet/writer.ts
async function openParquetWriter(request) {
  const features = request.features ?? {};
  const engine = await loadWriteEngine();
  const codec2 = await codecNamed(request.compression, engine);
  const huggingFace = huggingFaceMetadata(features);
  const metadata = [
    { key: "ARROW:schema", value: await encodeSchemaMessage(features) },
    ...huggingFace === void 0 ? [] : [{ key: "huggingface", value: huggingFace }]
  ];
  return new ParquetWriter({ ...request, features }, engine, codec2, metadata);
}
function leafFeature(feature, node, leaf) {
  const { core } = splitNullable(feature);
  if (node === leaf) return core;
  if (node.kind === "list") {
    const item = isList(core) ? core.feature : { key: core.key, value: core.value };
    return leafFeature(item, node.item, leaf);
  }
  if (node.kind === "leaf") return core;
  const [name, field] = node.fields.find(([, one]) => contains(one, leaf));
  return leafFeature(core[name], field, leaf);
}
function contains(node, leaf) {
  if (node === leaf) return true;
  if (node.kind === "leaf") return false;
  return node.kind === "list" ? contains(node.item, leaf) : node.fields.some(([, field]) => contains(field, leaf));
}
function bytesOf(batch) {
  let bytes = 0;
  for (const column of Object.values(batch.columns)) {
    if (ArrayBuffer.isView(column)) bytes += column.byteLength;
    else for (const value of column) bytes += sizeOf2(value);
  }
  return bytes;
}
function sizeOf2(value) {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return value.reduce((sum, one) => sum + sizeOf2(one), 8);
  return Object.values(value).reduce((sum, one) => sum + sizeOf2(one), 8);
}
var MAGIC2, GROUP_ROWS, GROUP_BYTES, ParquetWriter, CREATED_BY;
var init_writer = __esm({
  "src/data/formats/parquet/writer.ts"() {
    "use strict";
    init_batch();
    init_concat();
    init_feature();
    init_file_sink();
    init_schema();
    init_encode();
    init_schema_nodes();
    init_shred();
    init_write_engine();
    MAGIC2 = Buffer.from("PAR1");
    GROUP_ROWS = 1e5;
    GROUP_BYTES = 64 << 20;
    ParquetWriter = class {
      #features;
      #groupRows;
      #engine;
      #codec;
      #schema;
      #metadata;
      #sink;
      #groups = [];
      #waiting = [];
      #waitingRows = 0;
      #waitingBytes = 0;
      #rows = 0;
      constructor(request, engine, codec2, metadata) {
        this.#features = request.features;
        this.#groupRows = request.groupRows ?? GROUP_ROWS;
        this.#engine = engine;
        this.#codec = codec2;
        this.#metadata = metadata;
        this.#schema = schemaNodesOf(request.features);
        this.#sink = new FileSink(request.path);
        this.#sink.write(MAGIC2);
      }
      async writeRows(rows) {
        if (rows.length > 0) await this.writeBatch(batchOf(rows, this.#features));
      }
      async writeBatch(batch) {
        for (let at = 0; at < batch.length; ) {
          const count = Math.min(batch.length - at, this.#groupRows - this.#waitingRows);
          const part = count === batch.length ? batch : sliceBatch(batch, at, at + count);
          this.#waiting.push(part);
          this.#waitingRows += count;
          this.#waitingBytes += bytesOf(part);
          at += count;
          if (this.#waitingRows >= this.#groupRows || this.#waitingBytes >= GROUP_BYTES) this.#writeGroup();
        }
      }
      #writeGroup() {
        if (this.#waitingRows === 0) return;
        const batch = this.#waiting.length === 1 ? this.#waiting[0] : concatBatches(this.#waiting);
        const from = this.#sink.bytes;
        const target = { sink: this.#sink, engine: this.#engine, codec: this.#codec };
        const columns = this.#schema.nodes.flatMap(
          ([name, node]) => shredColumn(node, batch.columns[name]).map(
            (leaf) => writeChunk(target, leaf, leafFeature(this.#features[name], node, leaf.leaf))
          )
        );
        const size = columns.reduce((sum, { meta_data }) => sum + meta_data.total_uncompressed_size, 0n);
        this.#groups.push({
          columns,
          total_byte_size: size,
          num_rows: BigInt(batch.length),
          total_compressed_size: BigInt(this.#sink.bytes - from),
          file_offset: BigInt(from)
        });
        this.#rows += batch.length;
        this.#waiting = [];
        this.#waitingRows = 0;
        this.#waitingBytes = 0;
      }
      async finish() {
        this.#writeGroup();
        const writer = new this.#engine.ByteWriter();
        const footer = {
          version: 2,
          created_by: CREATED_BY,
          schema: this.#schema.elements,
          num_rows: BigInt(this.#rows),
          row_groups: this.#groups,
          key_value_metadata: this.#metadata
        };
        this.#engine.writeMetadata(writer, footer);
        this.#sink.write(writer.getBytes());
        this.#sink.write(MAGIC2);
        const sha256 = this.#sink.finish();
        return { rows: this.#rows, bytes: this.#sink.bytes, sha256 };
      }
      async [Symbol.asyncDispose]() {
        this.#sink[Symbol.dispose]();
      }
    };
    CREATED_BY = "kagurazaka";
  }
});

// src/data/formats/parquet.ts
var parquet_exports = {};
__export(parquet_exports, {
  default: () => parquet_default
});
async function open({ file }) {
  const engine = await loadEngine();
  const bytes = await footerOf(file);
  try {
    const metadata = engine.parquetMetadata(bytes, { geoparquet: false });
    const nodes = nodesOf(engine.parquetSchema(metadata));
    return new ParquetReader({ file, engine, metadata, nodes, features: await featuresOfFile(nodes, metadata) });
  } catch (cause) {
    throw bad(file.name, `its footer cannot be read: ${cause.message}`, cause);
  }
}
async function footerOf(file) {
  const { size, name } = file;
  if (size < 12) throw bad(name, `it has ${size} bytes, which is no parquet file`);
  const end = await file.read(Math.max(0, size - FOOTER_BYTES), FOOTER_BYTES);
  const magic = end.subarray(-4).toString("latin1");
  if (magic === "PARE") throw bad(name, "it is encrypted, which is not supported");
  if (magic !== MAGIC3) {
    const begins = (await file.read(0, 4)).toString("latin1") === MAGIC3;
    throw bad(name, begins ? "it is cut off: the footer is missing" : "it is not a parquet file");
  }
  const length = end.readUInt32LE(end.length - 8);
  if (length > size - 12) throw bad(name, `its footer would have ${length} bytes, more than the file`);
  return length + 8 <= end.length ? end.subarray(end.length - length - 8) : await file.read(size - length - 8, length + 8);
}
function bad(name, what, cause) {
  return new KagurazakaError("bad-data", `${name}: ${what}`, { where: name, cause });
}
var MAGIC3, FOOTER_BYTES, parquet_default;
var init_parquet = __esm({
  "src/data/formats/parquet.ts"() {
    "use strict";
    init_errors();
    init_format();
    init_engine();
    init_file_features();
    init_nodes();
    init_reader();
    init_writer();
    MAGIC3 = "PAR1";
    FOOTER_BYTES = 1 << 19;
    parquet_default = defineFormat({
      name: "parquet",
      help: "columns in row groups, with a schema",
      extensions: [".parquet"],
      packs: false,
      codecs: ["snappy", "gzip", "zstd", "lz4", "none"],
      options: {},
      hasSchema: true,
      recognises: (head) => head.subarray(0, 4).toString("latin1") === MAGIC3,
      open,
      create: (request) => openParquetWriter(request)
    });
  }
});

// src/data/formats/registry.ts
init_errors();
init_nearest();
init_format();
var formats = {
  jsonl: () => Promise.resolve().then(() => (init_jsonl(), jsonl_exports)),
  parquet: () => Promise.resolve().then(() => (init_parquet(), parquet_exports))
};
var formatNames = () => Object.keys(formats);
async function loadFormat(name) {
  if (Object.hasOwn(formats, name)) return (await formats[name]()).default;
  if (/^[./]|^@?[\w-]+\/|\.[cm]?js$/.test(name)) return await loadForeign(name);
  throw new KagurazakaError("bad-value", `there is no format "${name}".${didYouMean(name, formatNames())}`, {
    hint: `There are: ${formatNames().join(", ")}; or the path or package of one.`
  });
}
async function loadForeign(name) {
  const { createRequire } = await import("node:module");
  const { pathToFileURL } = await import("node:url");
  let loaded3;
  try {
    const path = createRequire(`${process.cwd()}/`).resolve(name);
    loaded3 = await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new KagurazakaError("bad-value", `the format "${name}" cannot be loaded: ${cause.message}`, {
      cause
    });
  }
  if (isFormat(loaded3.default) && loaded3.default.contract === 1) return loaded3.default;
  throw new KagurazakaError("bad-value", `the default export of "${name}" is no format`, {
    hint: "Write export default defineFormat({ \u2026 }), with defineFormat of kagurazaka/data."
  });
}

// src/data/shard/shard.ts
init_batch();
init_text_reader();

// src/data/stores/local-file.ts
init_errors();
import { open as open2 } from "node:fs/promises";
var CHUNK_BYTES2 = 1 << 20;
async function openLocalFile(path) {
  let handle;
  try {
    handle = await open2(path, "r");
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

// src/data/stores/index.ts
async function openFile(path) {
  return openLocalFile(path);
}

// src/data/shard/shard.ts
async function openShard({ path, format, packing, options, features }) {
  const file = await openFile(path);
  let reader;
  try {
    reader = await format.open({ file, packing, options, features });
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
  return {
    reader,
    slices: (size) => reader.slices(size),
    rows: (request = {}) => reader.rows ? reader.rows(request) : rowsOfBatches(reader.batches(request), request),
    batches: (request = {}, wanted = features ?? reader.features) => reader.batches ? reader.batches(request) : batchesOfRows(reader.rows(request), chosen(wanted, request)),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose]()
  };
}
async function* rowsOfBatches(batches, request) {
  for await (const batch of batches) yield* cut({ rows: rowsOf(batch), first: batch.first }, request.batchRows);
}
async function* batchesOfRows(blocks, features) {
  if (features === void 0) throw new Error("columns of rows need features");
  for await (const block of blocks) yield { ...batchOf(block.rows, features), first: positionOf(block, 0) };
}
function chosen(features, { columns }) {
  if (!features || !columns) return features;
  return Object.fromEntries(
    columns.flatMap((name) => features[name] ? [[name, features[name]]] : [])
  );
}

// ../../tmp/t5.ts
var f = await loadFormat("parquet");
var mode = process.argv[2];
for (let k = 0; k < 8; k++) {
  var _stack = [];
  try {
    const t = performance.now();
    const s = __using(_stack, await openShard({ path: mode === "flat" ? "/tmp/flat.parquet" : "/tmp/pa.parquet", format: f, packing: "none", options: {} }), true);
    let n = 0;
    if (mode === "flat") for await (const b of s.rows()) n += b.rows.length;
    else for await (const b of s.batches()) n += b.length;
    console.log(n, (performance.now() - t).toFixed(0));
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}
