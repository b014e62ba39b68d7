import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Document, LineCounter, Node, Pair, YAMLMap } from "yaml";
import { KagurazakaError } from "../base/errors.js";
import { HIDDEN, maskLines } from "../base/mask.js";
import { exactInteger } from "./text/quantities.js";
import {
  type Branch,
  createBranch,
  isBranch,
  Leaf,
  List,
  referredKey,
  refuseForbiddenKey,
  type Tree,
  type ValueOrigin,
} from "./tree.js";

const MAX_BYTES = 1_000_000;
const MAX_NODES = 100_000;
const MAX_ALIASES = 1_000;
const MAX_DEPTH = 100;

type Yaml = typeof import("yaml");

/**
 * A YAML file as a tree in which everything knows its origin.
 * @param path as the person wrote it, relative to `cwd`; messages show it
 * @param flag who asked for it: `--cfg`
 */
export async function loadYamlFile(path: string, flag: string, cwd: string = process.cwd()): Promise<Branch> {
  const file = resolve(cwd, path);
  const text = await readSmallText(file, path, flag);
  const tree = await parseYaml(text, { kind: "file", text: path, file });
  if (isBranch(tree)) return tree;
  if (tree instanceof Leaf && tree.value === null) return createBranch(tree.origin);
  const message = `${path} must hold a mapping, not ${tree instanceof List ? "a list" : "a single value"}`;
  throw new KagurazakaError("config-file", message, { where: tree.origin.text });
}

async function readSmallText(file: string, path: string, flag: string): Promise<string> {
  const refuse = (why: string, cause?: unknown) =>
    new KagurazakaError("config-file", `${path} ${why}`, { where: flag, cause });
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw refuse(`is larger than ${MAX_BYTES} bytes, the most a configuration may have`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw refuse(code === "ENOENT" ? "does not exist" : `cannot be read: ${message}`, cause);
  }
}

/** The tree of a YAML text. With `origin.file` the origins are `file:line:column`; otherwise all are `origin` itself. */
export async function parseYaml(text: string, origin: ValueOrigin): Promise<Tree> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  try {
    const document = yaml.parseDocument(text, {
      version: "1.2",
      schema: "core",
      merge: true,
      strict: true,
      // Compared one with all others there; `branch` looks.
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
    });
    const source = new Source(yaml, text, lines, document, origin);
    const broken = document.errors[0] ?? document.warnings[0];
    if (broken) throw source.error(reasonOf(broken.message), broken.pos[0]);
    return source.read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new KagurazakaError("config-file", "nested too deeply", { where: origin.text });
  }
}

/** yaml's parser recurses; what it says when it cannot any more is about its stack. */
const reasonOf = (message: string): string =>
  /call stack/i.test(message) ? "nested too deeply" : message.split("\n")[0]!;

interface Anchored {
  readonly node: Node;
  /** The key at the top under which it stands. */
  readonly section: string;
}

class Source {
  private nodes = 0;
  private aliases = 0;
  private readonly open = new Set<Node>();
  /** Anchors so far, in the order of the text. */
  private readonly anchors = new Map<string, Anchored>();
  /** By alias: what it referred to where it stands in the text. */
  private readonly targets = new Map<Node, Anchored>();
  /** How many aliases are being followed. */
  private following = 0;
  /** The key at the top that is being read. */
  private section = "";
  private readonly referred = new Set<string>();

  constructor(
    private readonly yaml: Yaml,
    private readonly text: string,
    private readonly lines: LineCounter,
    private readonly document: Document.Parsed,
    private readonly base: ValueOrigin,
  ) {}

  read(): Tree {
    const root = this.document.contents;
    if (root === null) return new Leaf(null, this.originAt(0));
    const tree = this.tree(root, 0);
    if (isBranch(tree)) tree[referredKey] = this.referred;
    return tree;
  }

  private originAt(offset: number, keyOffset?: number): ValueOrigin {
    if (this.base.file === undefined) return this.base;
    const at = this.at(offset);
    return { ...this.base, text: at, ...(keyOffset === undefined ? {} : { atKey: this.at(keyOffset) }) };
  }

  private at(offset: number): string {
    const { line, column } = this.position(offset);
    return `${this.base.text}:${line}:${column}`;
  }

  private position(offset: number): { line: number; column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  error(message: string, offset: number, code: "config-file" | "forbidden-key" = "config-file"): KagurazakaError {
    const position = this.position(offset);
    const lines = this.text.split(/\r?\n/);
    const shown = maskLines(lines);
    const isShown = shown[position.line - 1]!.startsWith(lines[position.line - 1]!.slice(0, position.column + 1));
    // Some messages quote the text they are about.
    const says = isShown ? message : message.replace(/(?<=: )\S.*$|(?<=")[^"]+(?=")/, HIDDEN);
    if (this.base.file === undefined) return new KagurazakaError(code, says, { where: this.base.text });
    return new KagurazakaError(code, says, { where: this.at(offset), frame: codeFrame(shown, position) });
  }

  private tree(node: Node, depth: number, keyOffset?: number): Tree {
    const offset = node.range?.[0] ?? 0;
    // Counted after aliases are followed: a few lines of YAML can stand for billions of nodes.
    if (++this.nodes > MAX_NODES)
      throw this.error(`more than ${MAX_NODES} values once its aliases are followed (an alias bomb?)`, offset);
    if (depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH} levels`, offset);
    if (this.yaml.isAlias(node)) return this.alias(node, depth, keyOffset);
    this.noteAnchor(node);
    if (this.yaml.isScalar(node)) return this.leaf(node.value, node.source, offset, keyOffset);
    if (this.open.has(node)) throw this.error("an alias that contains itself", offset);
    this.open.add(node);
    try {
      if (this.yaml.isSeq(node)) {
        const items = node.items.map((item) => this.tree(item as Node, depth + 1));
        return new List(items, this.originAt(offset, keyOffset));
      }
      if (this.yaml.isMap(node)) return this.branch(node, depth, keyOffset);
    } finally {
      this.open.delete(node);
    }
    throw this.error("something that is neither a scalar, a list nor a mapping", offset);
  }

  private noteAnchor(node: Node & { anchor?: string }): void {
    if (node.anchor !== undefined && this.following === 0)
      this.anchors.set(node.anchor, { node, section: this.section });
  }

  private leaf(value: unknown, source: string | undefined, offset: number, keyOffset?: number): Leaf {
    const origin = this.originAt(offset, keyOffset);
    if (value === null || typeof value === "string" || typeof value === "boolean") return new Leaf(value, origin);
    if (typeof value !== "number") return new Leaf(source ?? String(value), origin);
    // How a number was written counts where a text is wanted: 007, 1.10.
    return new Leaf(exactInteger(value, source ?? ""), origin, source === String(value) ? undefined : source);
  }

  private alias(node: Node & { source: string }, depth: number, keyOffset?: number): Tree {
    const offset = node.range?.[0] ?? 0;
    if (++this.aliases > MAX_ALIASES)
      throw this.error(`more than ${MAX_ALIASES} aliases once they are followed (an alias bomb?)`, offset);
    const target = this.targets.get(node) ?? this.anchors.get(node.source);
    if (!target) throw this.error(`no anchor is called "${node.source}"`, offset);
    this.targets.set(node, target);
    if (target.section !== this.section) this.referred.add(target.section);
    this.following++;
    try {
      return this.tree(target.node, depth + 1, keyOffset);
    } finally {
      this.following--;
    }
  }

  private branch(node: YAMLMap, depth: number, keyOffset?: number): Branch {
    const branch = createBranch(this.originAt(node.range?.[0] ?? 0, keyOffset));
    const merged: Branch[] = [];
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const at = pair.key.range?.[0] ?? 0;
      if (depth === 0) this.section = isMergeKey(this.yaml, pair.key) ? "" : this.key(pair.key, at);
      if (isMergeKey(this.yaml, pair.key)) {
        merged.push(...this.mergeSources(pair, depth, at));
        continue;
      }
      const key = this.key(pair.key, at);
      if (key in branch) throw this.error(`the key "${key}" stands here twice`, at);
      branch[key] = pair.value === null ? new Leaf(null, this.originAt(at, at)) : this.tree(pair.value, depth + 1, at);
    }
    // Own keys win over merged ones, earlier merged mappings over later ones.
    for (const source of merged)
      for (const [key, value] of Object.entries(source)) if (!(key in branch)) branch[key] = value;
    return branch;
  }

  private key(node: Node, offset: number): string {
    if (!this.yaml.isScalar(node)) throw this.error("a key must be a text", offset);
    this.noteAnchor(node);
    const key = typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
    try {
      refuseForbiddenKey(key, "");
    } catch (error) {
      throw this.error((error as Error).message, offset, "forbidden-key");
    }
    return key;
  }

  private mergeSources(pair: Pair<Node, Node | null>, depth: number, offset: number): Branch[] {
    const value = pair.value === null ? undefined : this.tree(pair.value, depth + 1, offset);
    const sources = value instanceof List ? value.items : value === undefined ? [] : [value];
    return sources.map((source) => {
      if (isBranch(source)) return source;
      throw this.error("`<<` merges mappings (or a list of them) only", offset);
    });
  }
}

const isMergeKey = (yaml: Yaml, node: Node): boolean =>
  yaml.isScalar(node) && (typeof node.value === "symbol" || (node.value === "<<" && node.type === "PLAIN"));

/** The lines around a position, with a marker under its column. */
function codeFrame(lines: readonly string[], { line, column }: { line: number; column: number }): string {
  const from = Math.max(1, line - 2);
  const width = String(Math.min(lines.length, line + 1)).length;
  const shown: string[] = [];
  for (let n = from; n <= Math.min(lines.length, line + 1); n++) {
    shown.push(`${n === line ? ">" : " "} ${String(n).padStart(width)} | ${lines[n - 1]!.slice(0, 160)}`);
    if (n === line) shown.push(`  ${" ".repeat(width)} | ${" ".repeat(Math.min(column, 160) - 1)}^`);
  }
  return shown.join("\n");
}
