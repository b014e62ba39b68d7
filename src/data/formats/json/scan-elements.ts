/** One element of the array, as bytes; or why there are no more. */
export interface ScannedElement {
  readonly text: Buffer;
  /** Where it begins in the contents, in bytes. */
  readonly at: number;
  /** The line it begins in, from 1, and the byte of that line, from 0. */
  readonly line: number;
  readonly column: number;
  /** It is larger than is kept: `text` is its beginning. */
  readonly isTooLarge: boolean;
}

/** The contents are no array of elements. */
export class ScanFailure extends Error {
  readonly at: number;
  readonly line: number;
  readonly hint: string | undefined;

  constructor(message: string, at: number, line: number, hint?: string) {
    super(message);
    this.at = at;
    this.line = line;
    this.hint = hint;
  }
}

const [QUOTE, BACKSLASH, COMMA, COLON, NEWLINE] = [34, 92, 44, 58, 10];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];
/** The most bytes of an element. */
const MAX_ELEMENT_BYTES = 64 << 20;
/** What is kept of a larger one. */
const KEPT_BYTES = 1 << 16;

const isBlank = (byte: number): boolean => byte === 32 || byte === 9 || byte === NEWLINE || byte === 13;
const opens = (byte: number): boolean => byte === OPEN_LIST || byte === OPEN_OBJECT;
const closes = (byte: number): boolean => byte === CLOSE_LIST || byte === CLOSE_OBJECT;

/**
 * Finds the elements of the array in a JSON text, chunk by chunk, without parsing them. The array is the text itself, or the value
 * of a field of the object that it is.
 *
 *     start ─▶ [ ─▶ element , element … ] ─▶ end
 *       └────▶ { ─▶ "field" : ─▶ value , … the field that is wanted ─▶ [ …
 */
export class ElementScanner {
  readonly #field: string | undefined;
  readonly #maxBytes: number;
  #state: "start" | "key" | "value" | "other" | "element" | "between" | "end" = "start";
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** The element or key that is being read, as far as earlier chunks have it. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #begunAt = -1;
  #begunLine = 0;
  #begunColumn = 0;
  #key: string | undefined;
  #at = 0;
  #line = 1;
  /** Where the line begins in the contents. */
  #lineAt = 0;
  #isFirst = true;
  #isObject = false;
  /** The field whose array was read. */
  foundField: string | undefined;

  /** @param field of the object; undefined: the array itself, or the first field that is an array of objects */
  constructor(field: string | undefined, maxBytes = MAX_ELEMENT_BYTES) {
    this.#field = field;
    this.#maxBytes = maxBytes;
  }

  /** @throws ScanFailure */
  *push(chunk: Buffer): Generator<ScannedElement> {
    let from = this.#begunAt < 0 ? -1 : 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte === NEWLINE) {
        this.#line++;
        this.#lineAt = this.#at + i + 1;
      }
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) {
          this.#isInString = false;
          if (this.#state === "key" && this.#depth === 1) {
            this.#key = this.#keyOf(this.#take(chunk, from, i + 1));
            from = -1;
          }
        }
        continue;
      }
      if (isBlank(byte)) continue;
      const ended = this.#byte(byte, i);
      if (this.#begunAt === this.#at + i) from = i;
      if (ended === undefined) continue;
      // A closing bracket or comma of the array itself is no part of the element.
      const place = { at: this.#begunAt, line: this.#begunLine, column: this.#begunColumn };
      yield { ...this.#take(chunk, from, ended), ...place };
      from = -1;
    }
    if (from >= 0) this.#keep(chunk.subarray(from));
    this.#at += chunk.length;
  }

  /** What goes on in the next chunk; of what is too large only the beginning. */
  #keep(part: Buffer): void {
    const room = this.#begunBytes + part.length > this.#maxBytes ? KEPT_BYTES - this.#begunBytes : part.length;
    if (room > 0) this.#begun.push(Buffer.from(part.subarray(0, room)));
    this.#begunBytes += part.length;
    if (this.#begunBytes > this.#maxBytes && this.#begun.length > 1)
      this.#begun = [Buffer.concat(this.#begun).subarray(0, KEPT_BYTES)];
  }

  #take(chunk: Buffer, from: number, to: number): Pick<ScannedElement, "text" | "isTooLarge"> {
    const part = chunk.subarray(Math.max(0, from), to);
    const isTooLarge = this.#begunBytes + part.length > this.#maxBytes;
    const whole = this.#begun.length === 0 ? part : Buffer.concat([...this.#begun, part]);
    this.#begun = [];
    this.#begunBytes = 0;
    this.#begunAt = -1;
    return { text: isTooLarge ? whole.subarray(0, KEPT_BYTES) : whole, isTooLarge };
  }

  #keyOf({ text, isTooLarge }: Pick<ScannedElement, "text" | "isTooLarge">): string {
    if (isTooLarge) throw this.#fail("the name of a field is larger than 64 MB");
    try {
      return JSON.parse(text.toString("utf8")) as string;
    } catch (error) {
      throw this.#fail(`the name of a field is not JSON: ${(error as Error).message}`);
    }
  }

  #begin(index: number): void {
    this.#begunAt = this.#at + index;
    this.#begunLine = this.#line;
    this.#begunColumn = this.#begunAt - this.#lineAt;
  }

  /** @returns where an element has ended, exclusive */
  #byte(byte: number, i: number): number | undefined {
    switch (this.#state) {
      case "start":
        return this.#start(byte, i);
      case "key":
        return this.#inKey(byte, i);
      case "value":
        return this.#value(byte, i);
      case "other":
        return this.#other(byte);
      case "element":
        return this.#element(byte, i);
      case "between":
        return this.#between(byte, i);
      case "end":
        if (this.foundField !== undefined) return undefined;
        throw this.#fail(
          "something stands behind the array",
          "Each line one object? Then it is JSON lines: say that the format is jsonl.",
          i,
        );
    }
  }

  #start(byte: number, i: number): undefined {
    // A byte order mark.
    if (this.#at + i < 3 && (byte === 0xef || byte === 0xbb || byte === 0xbf)) return;
    if (byte === OPEN_LIST) {
      this.#state = "between";
      this.#depth = 1;
      return;
    }
    if (byte !== OPEN_OBJECT) throw this.#fail("it begins with neither an array nor an object", undefined, i);
    this.#state = "key";
    this.#isObject = true;
    this.#depth = 1;
  }

  #inKey(byte: number, i: number): undefined {
    if (byte === QUOTE) {
      this.#isInString = true;
      this.#begin(i);
    } else if (byte === COLON && this.#key !== undefined) this.#state = "value";
    else if (byte === CLOSE_OBJECT) this.#state = "end";
    else if (byte !== COMMA) throw this.#fail("a field has no name", undefined, i);
  }

  #value(byte: number, i: number): undefined {
    const isWanted = this.#field === undefined || this.#field === this.#key;
    if (byte === OPEN_LIST && isWanted && this.foundField === undefined) {
      this.foundField = this.#key;
      this.#state = "between";
      this.#depth = 2;
      return;
    }
    if (this.#field !== undefined && isWanted)
      throw this.#fail(`the field "${this.#field}" is not an array`, undefined, i);
    this.#state = "other";
    this.#other(byte);
  }

  /** A value that is passed over. */
  #other(byte: number): undefined {
    if (byte === QUOTE) this.#isInString = true;
    else if (opens(byte)) this.#depth++;
    else if (closes(byte)) {
      this.#depth--;
      if (this.#depth === 0) this.#state = "end";
    } else if (byte === COMMA && this.#depth === 1) {
      this.#state = "key";
      this.#key = undefined;
    }
  }

  #between(byte: number, i: number): undefined {
    if (byte === CLOSE_LIST) {
      if (!this.#isFirst) throw this.#fail("a comma stands before the end of the array", undefined, i);
      this.#endArray();
      return;
    }
    if (byte === COMMA) throw this.#fail("a comma stands where an element should", undefined, i);
    this.#state = "element";
    this.#isFirst = false;
    this.#begin(i);
    if (byte === QUOTE) this.#isInString = true;
    else if (opens(byte)) this.#depth++;
  }

  #element(byte: number, i: number): number | undefined {
    const inner = this.foundField === undefined ? 1 : 2;
    if (byte === QUOTE) this.#isInString = true;
    else if (opens(byte)) this.#depth++;
    else if (byte === COMMA && this.#depth === inner) {
      this.#state = "between";
      return i;
    } else if (closes(byte)) {
      this.#depth--;
      if (this.#depth < inner) {
        this.#endArray();
        return i;
      }
    }
    return undefined;
  }

  #endArray(): void {
    this.#state = this.foundField === undefined ? "end" : "other";
    this.#depth = this.foundField === undefined ? 0 : 1;
  }

  /** @throws ScanFailure where the array is not at its end */
  end(): void {
    if (this.#state === "end") {
      if (this.#field !== undefined && this.foundField === undefined)
        throw this.#fail(`there is no field "${this.#field}"`);
      if (this.#isObject && this.foundField === undefined)
        throw this.#fail("it is an object without an array", "Say which field has the rows: field=NAME.");
      return;
    }
    if (this.#state === "start" && this.#at === 0) return;
    throw this.#fail("it ends in the middle of the array");
  }

  #fail(message: string, hint?: string, i = 0): ScanFailure {
    return new ScanFailure(message, this.#at + i, this.#line, hint);
  }
}
