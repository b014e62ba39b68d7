import { posix } from "node:path";
import ts from "typescript";

/** Path from the repository's root → source text. */
export type Sources = Readonly<Record<string, string>>;

export interface Import {
  readonly from: string;
  /** Path of a file of ours, or the specifier as written. */
  readonly to: string;
  readonly line: number;
  /** `type` is gone when the code runs, `lazy` is an `import()`. */
  readonly kind: "value" | "type" | "lazy";
}

/** Every import of every file, by the compiler's own parser. */
export function importsOf(sources: Sources): Import[] {
  return Object.entries(sources).flatMap(([from, text]) => {
    const file = ts.createSourceFile(from, text, ts.ScriptTarget.Latest, true);
    const found: Import[] = [];
    const add = (specifier: ts.Node | undefined, kind: Import["kind"]): void => {
      if (!specifier || !ts.isStringLiteral(specifier)) return;
      const line = file.getLineAndCharacterOfPosition(specifier.getStart()).line + 1;
      found.push({ from, to: resolveSpecifier(from, specifier.text), line, kind });
    };
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node))
        add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type" : "value");
      else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? "type" : "value");
      else if (ts.isImportTypeNode(node))
        add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, "type");
      else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
        add(node.arguments[0], "lazy");
      ts.forEachChild(node, visit);
    };
    visit(file);
    return found;
  });
}

export const resolveSpecifier = (from: string, specifier: string): string =>
  specifier.startsWith(".")
    ? posix
        .join(posix.dirname(from), specifier)
        .replace(/^dist\//, "")
        .replace(/\.js$/, ".ts")
    : specifier;

/** The room a file is in. */
export function roomOf(path: string): string {
  const single = /^src\/(index|kit|task|builtins|testing|bin)\.(?:ts|cjs)$/.exec(path);
  if (single) return single[1]!;
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? path.split("/")[0]!;
}

/** Room → rooms it may import from, besides itself. Imports go down only (DESIGN §2). */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  contracts: ["base"],
  task: ["base", "contracts"],
  config: ["base", "contracts"],
  loader: ["base", "contracts"],
  data: ["base", "contracts"],
  kit: ["base", "contracts", "data"],
  // Only points at the shelves.
  builtins: ["contracts", "backbones", "templates", "tasks"],
  runner: ["base", "contracts", "config", "loader", "data", "builtins"],
  index: ["base", "contracts", "task", "templates", "runner"],
  testing: ["base", "contracts", "task", "config", "loader", "data", "runner", "builtins", "backbones"],
  dashboard: ["base", "contracts"],
  cli: ["base", "contracts", "task", "config", "loader", "data", "runner", "builtins", "dashboard"],
  bin: ["cli"],
  backbones: ["kit"],
  templates: ["kit"],
  tasks: [],
};

/** Packages a room may import; any, for rooms not named. Node's own modules are free. */
const packages: Readonly<Record<string, readonly string[]>> = {
  base: [],
  contracts: [],
  dashboard: [],
  kit: [],
  task: [],
  index: [],
  templates: [],
  tasks: ["kagurazaka", "kagurazaka/data"],
};

/** Engines are large: each is loaded by one file, when it is first used. */
const engines: Readonly<Record<string, string>> = {
  hyparquet: "src/data/formats/parquet/engine.ts",
  "hyparquet-compressors": "src/data/formats/parquet/engine.ts",
  "hyparquet-writer": "src/data/formats/parquet/write-engine.ts",
  "apache-arrow": "src/data/formats/arrow/engine.ts",
};

/** What breaks the rules, one sentence each. */
export function checkImports(sources: Sources): string[] {
  return importsOf(sources).flatMap(({ from, to, line, kind }) => {
    const room = roomOf(from);
    const place = `${from}:${line}`;
    if (!Object.hasOwn(allowed, room)) return [`${place}: the room "${room}" has no rule`];
    if (to.startsWith("node:")) return [];
    if (!/^(?:src|backbones|templates|tasks)\/|\.json$/.test(to)) {
      const engine = Object.keys(engines).find((name) => to === name || to.startsWith(`${name}/`));
      if (engine !== undefined && kind !== "type" && from !== engines[engine])
        return [`${place}: only ${engines[engine]} may load ${engine}`];
      const fine = !Object.hasOwn(packages, room) || packages[room]!.includes(to);
      return fine ? [] : [`${place}: ${room} must not import the package ${to}`];
    }
    const target = roomOf(to);
    // The users' door promises the runner and loads it when it is asked for: every worker passes through here.
    if (room === "index" && target === "runner" && kind === "value")
      return [`${place}: index must load the runner lazily`];
    // A plug-in's folder is its own affair.
    const owner = /^((?:backbones|templates\/modes|tasks)\/[^/]+)\//.exec(to)?.[1];
    if (owner !== undefined && from !== `${owner}.ts` && !from.startsWith(`${owner}/`))
      return [`${place}: only ${owner}.ts may import from ${owner}/`];
    if (room === "builtins" && kind === "value") return [`${place}: builtins must point at the shelves lazily`];
    return target === room || allowed[room]!.includes(target)
      ? []
      : [`${place}: ${room} must not import ${target} (${to})`];
  });
}

/**
 * Circles of imports, each once, as `a → b → a`. Types are left out, for they are gone when the code runs, and so are
 * `import()`s, which run when all modules are there.
 */
export function findCircles(sources: Sources): string[] {
  const edges = new Map<string, string[]>();
  for (const { from, to, kind } of importsOf(sources))
    if (kind === "value" && Object.hasOwn(sources, to)) edges.set(from, [...(edges.get(from) ?? []), to]);
  const circles = new Set<string>();
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      const circle = path.slice(at);
      const first = circle.indexOf(circle.toSorted()[0]!);
      circles.add([...circle.slice(first), ...circle.slice(0, first), circle[first]].join(" → "));
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of Object.keys(sources)) walk(file, []);
  return [...circles];
}
