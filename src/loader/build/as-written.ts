import { applyEdits, type Edit, type RawMap, readOriginals } from "./edits.js";

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
/** A name begins here, and is no property's. */
const BEGIN = String.raw`(?<![\p{ID_Continue}$]|(?<!\.\.)\.)`;
/** Stands for esbuild's helper `__name`, which is not there where a function arrives as text: it needs nothing around it. */
const SET_NAME = `((f,value)=>Object.defineProperty(f,"name",{value,configurable:true}))`;

/**
 * Functions and classes may be sent elsewhere as text: to a page, a vm, a worker made of a string. So their code mentions
 * nothing that esbuild has put around it: `require` and classes are called what they were called, and a name that would be
 * lost is set where the function is made.
 */
export function asWritten(code: string, map: RawMap): { code: string; mappings: string } {
  const text = new Generated(code, map);
  nameClasses(text);
  nameFunctions(text);
  nameRequire(text);
  return applyEdits(code, map.mappings, [...text.edits.values()]);
}

type Match = RegExpMatchArray & { index: number };

class Generated {
  readonly edits = new Map<number, Edit>();
  readonly originalAt;
  /** Variables that esbuild may have renamed → where they are; not all of it need be code. */
  readonly #places = new Map<string, number[]>();

  constructor(
    readonly code: string,
    map: RawMap,
  ) {
    this.originalAt = readOriginals(code, map);
    for (const { 0: name, index } of this.match(`${BEGIN}(?:_[\\p{ID_Continue}$]+|require\\d+)(?![\\p{ID_Continue}$])`))
      if (this.#places.get(name)?.push(index) === undefined) this.#places.set(name, [index]);
  }

  match(pattern: string): Iterable<Match> {
    return this.code.matchAll(new RegExp(pattern, "gmu")) as Iterable<Match>;
  }

  replace(at: number, length: number, text: string): void {
    this.edits.set(at, { at, length, text });
  }

  /** The lines stay, empty. */
  blank(at: number, text: string): void {
    let start = at;
    for (const line of text.split("\n")) {
      const words = line.trimStart().length;
      this.replace(start + line.length - words, words, "");
      start += line.length + 1;
    }
  }

  names(pattern: RegExp): string[] {
    return [...this.#places.keys()].filter((name) => pattern.test(name));
  }

  /** Gives a variable the name it was written with; unless `some` will do, all its places or none. */
  rename(name: string, original: string, some = false): boolean {
    const places = this.#places.get(name) ?? [];
    const own = places.filter((at) => this.originalAt(at)?.after.startsWith(original));
    if (own.length < places.length && !some) return false;
    for (const at of own) this.replace(at, name.length, original);
    return true;
  }
}

/** `class Box {…}` at the top of a module has become `var Box = class {…}`, or `class _Box` if it mentions itself. */
function nameClasses(text: Generated): void {
  const head = `(?:${BEGIN}(${NAME}) = )?class(?: (${NAME}))?(?: extends [^\\n]{1,300})? \\{\\n`;
  const block = `( *static \\{\\n *__name\\(this, "(${NAME})"\\);\\n *\\})`;
  for (const { 0: whole, 1: variable, 2: own, 3: setter = "", 4: name = "", index } of text.match(head + block)) {
    const declared = variable === name && /\bclass\s+$/.test(text.originalAt(index)?.before ?? "");
    const isRight = own === undefined ? variable === name : own === name;
    if (!isRight && !(declared && own === `_${name}` && text.rename(own, name))) continue;
    text.blank(index + whole.length - setter.length, setter);
    if (declared && own === undefined) text.replace(index + `${name} = class`.length, 0, ` ${name}`);
  }
}

function nameFunctions(text: Generated): void {
  const declared = new Set(Array.from(text.match(`\\bfunction\\*? (${NAME})\\(`), ([, name]) => name));
  for (const { 0: call, 1: variable, 2: name, index } of text.match(`(?<=^ *)__name\\((${NAME}), "(${NAME})"\\);$`))
    if (variable === name && declared.has(name)) text.blank(index, call);
  for (const { index } of text.match(`(?<=^ *|/\\* @__PURE__ \\*/ )__name(?=\\()`))
    if (!text.edits.has(index)) text.replace(index, "__name".length, SET_NAME);
}

/** Where modules have no `require`, it is the head's; where one has its own, nothing else is called so. */
function nameRequire(text: Generated): void {
  if (text.code.includes("var __require = ")) {
    text.rename("__require", "require", true);
    return;
  }
  const own = text.names(/^require\d+$/);
  if (own.length === 1) text.rename(own[0]!, "require");
}
