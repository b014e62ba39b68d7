import { DOT, LEADING_DOT, lettersOf, type Node, type Ranges, SLASH } from "./parse.js";

/** An instruction; `next` are indices of others. */
type Instruction =
  | { readonly op: "one"; readonly ranges: Ranges; readonly next: number }
  | { readonly op: "split"; next: number[] }
  /** Goes on wherever `body` does not match the letters so far. */
  | { readonly op: "not"; readonly body: Automaton; readonly next: number }
  | { readonly op: "match" };

/** Where a match may have come to: an instruction, and in a `not` the state of its body. */
interface Thread {
  readonly at: number;
  readonly body?: State;
}

/** What is known about the letters read so far. */
export interface State {
  readonly id: number;
  readonly threads: readonly Thread[];
  /** They match. */
  readonly accepts: boolean;
  /** By class of the next letter, once it has come. */
  readonly next: (State | undefined)[];
}

/** States are forgotten, and made again when they come, once they hold this many threads and transitions together. */
const MAX_KEPT = 1_000_000;

/**
 * Matches texts letter by letter against a pattern, in all ways at once: at most (pattern × text) steps, whatever the pattern.
 * States are kept, so that most letters cost one look into a table.
 */
export class Automaton {
  readonly #program: Instruction[] = [];
  readonly #entry: number;
  readonly #letters: Ranges;
  /** The first code points of classes of letters that no instruction tells apart. */
  readonly #borders: readonly number[];
  readonly #asciiClasses: Uint16Array;
  readonly #states = new Map<string, State>();
  #kept = 0;
  #nextId = 0;
  #start: State | undefined;

  constructor(node: Node, hidden: boolean) {
    this.#letters = lettersOf(hidden);
    const match = this.#program.push({ op: "match" }) - 1;
    this.#entry = this.#emit(node, match, hidden);
    this.#borders = [...this.#collectBorders(new Set([0, 128, LEADING_DOT]))].sort((a, b) => a - b);
    this.#asciiClasses = Uint16Array.from({ length: 128 }, (_, code) => this.#findClass(code));
  }

  /** Nothing has been read. */
  get start(): State {
    this.#start ??= this.#stateOf([{ at: this.#entry }]);
    return this.#start;
  }

  /** After the letters of a text. It begins a name where `isNameStart` or a slash comes before it. */
  run(from: State, text: string, isNameStart: boolean): State {
    const ascii = this.#asciiClasses;
    let state = from;
    let atStart = isNameStart;
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code >= 128) {
        code = text.codePointAt(i)!;
        if (code > 0xffff) i++;
      } else if (code === DOT && atStart) code = LEADING_DOT;
      atStart = code === SLASH;
      state = (code < 128 ? state.next[ascii[code]!] : undefined) ?? this.step(state, code);
    }
    return state;
  }

  step(state: State, code: number): State {
    const letterClass = code < 128 ? this.#asciiClasses[code]! : this.#findClass(code);
    const known = state.next[letterClass];
    if (known) return known;
    const next = this.#advance(state, code);
    state.next[letterClass] = next;
    return next;
  }

  #advance(state: State, code: number): State {
    const threads: Thread[] = [];
    for (const { at, body } of state.threads) {
      const instruction = this.#program[at]!;
      if (instruction.op === "one") {
        if (isIn(instruction.ranges, code)) threads.push({ at: instruction.next });
      } else if (instruction.op === "not" && isIn(this.#letters, code)) {
        threads.push({ at, body: instruction.body.step(body!, code) });
      }
    }
    return this.#stateOf(threads);
  }

  /** The state of these threads and of all that they lead to without a letter. */
  #stateOf(from: readonly Thread[]): State {
    const threads = new Map<string | number, Thread>();
    const passed = new Set<number>();
    let accepts = false;
    const waiting = [...from];
    for (let thread = waiting.pop(); thread !== undefined; thread = waiting.pop()) {
      const { at } = thread;
      const instruction = this.#program[at]!;
      if (instruction.op === "not") {
        const body = thread.body ?? instruction.body.start;
        const name = `${at}:${body.id}`;
        if (threads.has(name)) continue;
        threads.set(name, { at, body });
        if (!body.accepts) waiting.push({ at: instruction.next });
      } else if (!passed.has(at)) {
        passed.add(at);
        if (instruction.op === "one") threads.set(at, thread);
        else if (instruction.op === "match") accepts = true;
        else for (const next of instruction.next) waiting.push({ at: next });
      }
    }
    const name = `${[...threads.keys()].sort().join()}${accepts ? "!" : ""}`;
    const known = this.#states.get(name);
    if (known) return known;
    if (this.#kept > MAX_KEPT) this.#forget();
    const state: State = { id: this.#nextId++, threads: [...threads.values()], accepts, next: [] };
    this.#states.set(name, state);
    this.#kept += threads.size + this.#borders.length;
    return state;
  }

  #forget(): void {
    for (const state of this.#states.values()) state.next.length = 0;
    this.#states.clear();
    this.#start = undefined;
    this.#kept = 0;
  }

  /** Writes the instructions of a node, from its end to its beginning. @returns where it begins */
  #emit(node: Node, next: number, hidden: boolean): number {
    const add = (instruction: Instruction): number => this.#program.push(instruction) - 1;
    if ("one" in node) return add({ op: "one", ranges: node.one, next });
    if ("all" in node) return node.all.reduceRight((after, part) => this.#emit(part, after, hidden), next);
    if ("not" in node) return add({ op: "not", body: new Automaton(node.not, hidden), next });
    if ("any" in node) return add({ op: "split", next: node.any.map((part) => this.#emit(part, next, hidden)) });
    const loop: Instruction = { op: "split", next: [] };
    const at = add(loop);
    const body = this.#emit(node.many, at, hidden);
    loop.next = [body, next];
    return node.once ? body : at;
  }

  #collectBorders(borders: Set<number>): Set<number> {
    for (const instruction of this.#program) {
      if (instruction.op === "not") {
        instruction.body.#collectBorders(borders);
        for (const code of [SLASH, SLASH + 1, LEADING_DOT]) borders.add(code);
      } else if (instruction.op === "one") {
        for (const [i, code] of instruction.ranges.entries()) borders.add(i % 2 === 0 ? code : code + 1);
      }
    }
    return borders;
  }

  #findClass(code: number): number {
    let [below, above] = [0, this.#borders.length];
    while (above - below > 1) {
      const middle = (below + above) >>> 1;
      if (this.#borders[middle]! <= code) below = middle;
      else above = middle;
    }
    return below;
  }
}

function isIn(ranges: Ranges, code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (code >= ranges[i]! && code <= ranges[i + 1]!) return true;
  return false;
}
