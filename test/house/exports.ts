import ts from "typescript";
import { resolveSpecifier, type Sources } from "./imports.js";

/** What other packages import: everything that these files export is a promise to them. */
const doors: ReadonlySet<string> = new Set(["src/index.ts", "src/kit.ts", "src/testing.ts", "src/data/index.ts"]);

interface Module {
  /** Name → line of its declaration. */
  readonly exports: Map<string, number>;
  /** What it takes of other files: one name, or `*` for whatever of theirs it names. */
  readonly takes: { readonly from: string; readonly name: string }[];
  /** Files of which it passes on all exports under the same names. */
  readonly passesOn: string[];
  /** Every word in it, for what is taken as a whole: `import * as x`, `import("./x.js")`. */
  readonly words: Set<string>;
}

/**
 * Exported names that only their own file uses, as `file:line: name`. `users` are files that import and are not looked at
 * themselves: tests, benchmarks. A default export is a plug-in, which the registry test looks at.
 */
export function findUnusedExports(sources: Sources, users: Sources): string[] {
  const modules = new Map(Object.entries({ ...users, ...sources }).map(([path, text]) => [path, read(path, text)]));
  const used = new Set<string>();
  const use = (path: string, name: string): void => {
    if (used.has(`${path} ${name}`)) return;
    used.add(`${path} ${name}`);
    for (const further of modules.get(path)?.passesOn ?? []) use(further, name);
  };
  for (const [path, { takes, words }] of modules) {
    for (const { from, name } of takes) for (const one of name === "*" ? words : [name]) use(from, one);
    if (doors.has(path)) for (const further of promisedBy(path, modules)) use(...further);
  }
  return Object.keys(sources).flatMap((path) =>
    [...modules.get(path)!.exports]
      .filter(([name]) => name !== "default" && !doors.has(path) && !used.has(`${path} ${name}`))
      .map(([name, line]) => `${path}:${line}: ${name}`),
  );
}

/** All names that files passed on by a door export. */
function promisedBy(path: string, modules: ReadonlyMap<string, Module>): [path: string, name: string][] {
  return (modules.get(path)?.passesOn ?? []).flatMap((further) => [
    ...[...(modules.get(further)?.exports.keys() ?? [])].map((name): [string, string] => [further, name]),
    ...promisedBy(further, modules),
  ]);
}

function read(path: string, text: string): Module {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Module = { exports: new Map(), takes: [], passesOn: [], words: new Set() };
  const addExport = (name: string, node: ts.Node): void =>
    void found.exports.set(name, file.getLineAndCharacterOfPosition(node.getStart()).line + 1);
  const take = (specifier: ts.Node | undefined, ...names: string[]): void => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const from = resolveSpecifier(path, specifier.text);
    for (const name of names) found.takes.push({ from, name });
  };

  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.words.add(node.text);
    else if (ts.isImportDeclaration(node)) take(node.moduleSpecifier, ...namesOf(node.importClause));
    else if (ts.isExportDeclaration(node)) addReexports(node);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) take(node.argument.literal, "*");
    else if (ts.isCallExpression(node)) takeLazily(node);
    ts.forEachChild(node, visit);
  };
  const takeLazily = ({ expression, arguments: [first] }: ts.CallExpression): void => {
    // Tests also import what `new URL("../dist/x.js", import.meta.url)` names.
    if (expression.kind !== ts.SyntaxKind.ImportKeyword || !first) return;
    const literal = (node: ts.Node): ts.StringLiteral | undefined =>
      ts.isStringLiteral(node) ? node : ts.forEachChild(node, literal);
    take(literal(first), "*");
  };
  const addReexports = ({ exportClause, moduleSpecifier }: ts.ExportDeclaration): void => {
    if (!exportClause)
      return void found.passesOn.push(resolveSpecifier(path, (moduleSpecifier as ts.StringLiteral).text));
    if (!ts.isNamedExports(exportClause)) return take(moduleSpecifier, "*");
    for (const { name, propertyName } of exportClause.elements) {
      addExport(name.text, name);
      take(moduleSpecifier, (propertyName ?? name).text);
    }
  };
  visit(file);
  for (const statement of file.statements) for (const [name, node] of declaredBy(statement)) addExport(name, node);
  return found;
}

function namesOf(clause: ts.ImportClause | undefined): string[] {
  const bindings = clause?.namedBindings;
  const named = bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
  return [
    ...(clause?.name ? ["default"] : []),
    ...(bindings && ts.isNamespaceImport(bindings) ? ["*"] : []),
    ...named.map(({ name, propertyName }) => (propertyName ?? name).text),
  ];
}

/** The names that a statement exports by the word `export`. */
function declaredBy(statement: ts.Statement): [name: string, node: ts.Node][] {
  if (!ts.canHaveModifiers(statement)) return [];
  const modifiers = ts.getModifiers(statement)?.map(({ kind }) => kind) ?? [];
  if (!modifiers.includes(ts.SyntaxKind.ExportKeyword)) return [];
  if (modifiers.includes(ts.SyntaxKind.DefaultKeyword)) return [["default", statement]];
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map((one) => [one.name.getText(), one]);
  const { name } = statement as ts.DeclarationStatement;
  return name ? [[name.text, name]] : [];
}
