import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { Fields, OutputDefinition, OutputEntry, OutputNaming } from "../contracts/modes.js";
import { checkRelPath, RootGuard } from "../runner/program/safe-path.js";
import { Publication } from "../runner/worker/publication.js";
import { casesOf, type It } from "./it.js";
import { assertDescribed, filledFields } from "./mode-fields.js";
import { withDirectory } from "./temporary.js";

export interface OutputModeSuite {
  readonly it: It;
  readonly fields: Fields;
  /** For the input `sub/a.txt`: field → path below the output root. */
  readonly expected: Readonly<Record<string, string>>;
}

const file = (relDir: string, fileName: string): OutputNaming => ({
  key: relDir === "." ? fileName : `${relDir}/${fileName}`,
  relDir,
  fileName,
});

const oddNames: readonly OutputNaming[] = [
  file(".", "a.txt"),
  file("sub", "a.txt"),
  file("sub/deep", "a.txt"),
  file("sub", "b c.tar.gz"),
  file("sub", "no-extension"),
  file("sub", ".hidden"),
  file("sub.d", "ünï 😀.txt"),
  file(".", "$&{key}%s.txt"),
];

/** What every output mode must do. `mode` is the factory a task calls: `OutputByAppendingExt`. */
export function testOutputMode(
  mode: { readonly definition: OutputDefinition },
  { it, fields, expected }: OutputModeSuite,
): void {
  const { definition } = mode;
  const all = filledFields(definition.fields, fields);
  const outputs = (name: OutputNaming): readonly OutputEntry[] => definition.outputs(all, name);
  const { test, unless } = casesOf(it, definition.name);

  test("says what it is, and what each field is for", async () => assertDescribed(definition, "output"));

  test("names outputs as documented", async () => {
    assert.deepEqual(
      Object.fromEntries(outputs(file("sub", "a.txt")).map(({ field, relPath }) => [field, relPath])),
      expected,
    );
  });

  test("names them the same way every time, below the root, under fields of their own", async () => {
    for (const name of oddNames) {
      const entries = outputs(name);
      assert.deepEqual(outputs(name), entries);
      assert.ok(entries.length > 0);
      for (const { field, relPath } of entries) {
        assert.match(field, /^output(?:_.+)?$/);
        checkRelPath(relPath);
      }
      assert.equal(new Set(entries.map(({ field }) => field)).size, entries.length);
      assert.equal(new Set(entries.map(({ relPath }) => relPath)).size, entries.length);
    }
  });

  test("puts a directory before the files in it", async () => {
    for (const entries of oddNames.map(outputs)) {
      const directories = entries.filter(({ type }) => type === "directory");
      assert.ok(directories.length <= 1, "one directory at most");
      if (directories.length === 0) continue;
      assert.equal(entries[0], directories[0]);
      for (const { relPath } of entries.slice(1)) assert.ok(relPath.startsWith(`${directories[0]!.relPath}/`));
    }
  });

  unless(!definition.unique && "its outputs are not declared unique: a run refuses repeats")(
    "gives different inputs different outputs",
    async () => {
      const paths = oddNames.flatMap(outputs).map(({ relPath }) => relPath);
      assert.equal(new Set(paths).size, paths.length);
    },
  );

  unless(definition.accepts !== "any" && "it names outputs after files")(
    "names outputs of records after their keys alone",
    async () => {
      const paths = ["one", "two"].map((key) =>
        outputs({ key, relDir: ".", fileName: key }).map(({ relPath }) => relPath),
      );
      for (const path of paths.flat()) checkRelPath(path);
      assert.notDeepEqual(paths[0], paths[1]);
    },
  );

  test("what is written to them appears under the final names, all of it and nothing else", () =>
    withDirectory(async (root) => {
      const staging = join(root, ".kagurazaka/staging/run");
      mkdirSync(staging, { recursive: true });
      const publication = new Publication(join(staging, "0-0"), root, new RootGuard(root), {
        atomic: true,
        durable: false,
        finish: null,
      });
      for (const name of oddNames) {
        const entries = outputs(name);
        const files = publication.begin(entries);
        for (const { field, type } of entries) {
          const { path, finalPath, fileName } = files[field]!;
          assert.equal(posix.basename(path), fileName, "a task sees the final base name");
          assert.ok(!existsSync(finalPath) || type === "directory");
          if (type === "file") writeFileSync(path, `${field} of ${name.key}`);
        }
        publication.publish();
        for (const { field, relPath, type } of entries)
          if (type === "file") assert.equal(readFileSync(join(root, relPath), "utf8"), `${field} of ${name.key}`);
      }
      const staged = readdirSync(join(root, ".kagurazaka"), { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      assert.deepEqual(staged, []);
    }));
}
