import { applyEdits, type Edit, type RawMap, readOriginals } from "./edits.js";

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
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

class Generated {
  readonly edits = new Map<number, Edit>();
  readonly originalAt;

  constructor(
    readonly code: string,
    map: RawMap,
  ) {
    this.originalAt = readOriginals(code, map);
  }

  match(pattern: string): Iterable<RegExpMatchArray & { index: number }> {
    return this.code.matchAll(new RegExp(pattern, "gmu")) as Iterable<RegExpMatchArray & { index: number }>;
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

  /** Renames a variable that esbuild has renamed. */
  rename(from: string, to: string): void {
    const escaped = from.replaceAll("$", "\\$");
    for (const { index } of this.match(`(?<![\\p{ID_Continue}$.])${escaped}(?![\\p{ID_Continue}$])`))
      if (this.originalAt(index)?.after.startsWith(to)) this.replace(index, from.length, to);
  }
}

/** `class Box {…}` at the top of a module has become `var Box = class {…}`, or `class _Box` if it mentions itself. */
function nameClasses(text: Generated): void {
  const head = `(?:(${NAME}) = )?class(?: (${NAME}))?(?: extends [^\\n]+)? \\{\\n`;
  const block = `( *static \\{\\n *__name\\(this, "(${NAME})"\\);\\n *\\})`;
  for (const { 0: whole, 1: variable, 2: own, 3: setter = "", 4: name = "", index } of text.match(head + block)) {
    const declared = variable === name && /\bclass\s+$/.test(text.originalAt(index)?.before ?? "");
    const renamed = declared && own === `_${name}`;
    if (own === undefined ? variable !== name : own !== name && !renamed) continue;
    text.blank(index + whole.length - setter.length, setter);
    if (renamed) text.rename(own, name);
    if (declared && own === undefined) text.replace(index + `${name} = class`.length, 0, ` ${name}`);
    if (renamed) text.replace(index + `${name} = class `.length, own.length, name);
  }
}

function nameFunctions(text: Generated): void {
  const declared = new Set(Array.from(text.match(`\\bfunction\\*? (${NAME})\\(`), ([, name]) => name));
  for (const { 0: call, 1: variable, 2: name, index } of text.match(`(?<=^ *)__name\\((${NAME}), "(${NAME})"\\);$`))
    if (variable === name && declared.has(name)) text.blank(index, call);
  for (const { index } of text.match(`(?<=^ *|/\\* @__PURE__ \\*/ )__name(?=\\()`))
    if (!text.edits.has(index)) text.replace(index, "__name".length, SET_NAME);
}

/** Nothing but one module's own variable may be called `require` again; where it is nobody's, it is the head's. */
function nameRequire(text: Generated): void {
  if (text.code.includes("var __require = ")) return text.rename("__require", "require");
  const own = new Set(Array.from(text.match("(?<![\\p{ID_Continue}$.])require\\d+(?![\\p{ID_Continue}$])"), String));
  for (const name of own.size === 1 ? own : []) text.rename(name, "require");
}
