import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Item, WireGroup, WireTriplet } from "../contracts/item.js";
import { type Fields, type InputDefinition, type ListEnv, yieldsOf } from "../contracts/modes.js";
import { filesOf } from "../runner/program/item-files.js";
import { checkRelPath } from "../runner/program/safe-path.js";
import { casesOf, type It } from "./it.js";
import { assertDescribed, filledFields } from "./mode-fields.js";
import { withDirectory, writeFiles } from "./temporary.js";

export interface InputModeSuite {
  readonly it: It;
  /** The mode's fields, given the directory with the files. */
  fields(dir: string): Fields;
  /** Relative path → text, the input. @defaultValue a small tree with odd names */
  readonly files?: Readonly<Record<string, string>>;
  /** The items it must find, in order: files as `rel_dir/file_name`, groups as `rel_dir/stem`, records as they are. */
  readonly expected: readonly unknown[];
}

const sampleTree: Readonly<Record<string, string>> = {
  "a.txt": "a",
  "sub/b.txt": "b",
  "sub/deep/c d.txt": "c",
  "sub/ünï.txt": "u",
  "sub.d/e.txt": "e",
  "left/out.txt": "not to be listed",
};

function listEnv(dir: string, env: Partial<ListEnv>): ListEnv {
  const { inputRoot = dir, leaveOut = [join(dir, "left")], signal = new AbortController().signal } = env;
  const passOver = { onPassedOver: () => {}, onUnreadable: () => {} };
  const walk = { root: inputRoot, leaveOut, signal, ...passOver };
  return { root: 0, isOutput: () => false, warn: () => {}, walk, ...env, inputRoot, leaveOut, signal };
}

/** What every input mode must do. `mode` is the factory a task calls: `InputByExts`. */
export function testInputMode(
  mode: { readonly definition: InputDefinition },
  { it, fields, files = sampleTree, expected }: InputModeSuite,
): void {
  const { definition } = mode;
  const { test, unless } = casesOf(it, definition.name);
  const withInput = (
    use: (list: (env?: Partial<ListEnv>) => Promise<Item[][]>, dir: string) => Promise<void>,
  ): Promise<void> =>
    withDirectory(async (dir) => {
      writeFiles(dir, files);
      const all = filledFields(definition.fields, fields(dir));
      const list = async (env: Partial<ListEnv> = {}): Promise<Item[][]> => {
        const lists: Item[][] = [];
        for await (const items of definition.list(all, listEnv(dir, env))) lists.push([...items]);
        return lists;
      };
      await use(list, dir);
    });
  // `yields` may depend on fields, but not on the directory.
  const yields = yieldsOf({ definition, fields: filledFields(definition.fields, fields("/")) });
  const notFiles = yields === "record" && "it yields records";
  const notOfRoot = !definition.readsInputRoot && "it does not read the input root";
  const ofFiles = unless(notFiles);
  const ofRoot = unless(notOfRoot);

  test("says what it is, and what each field is for", async () => assertDescribed(definition, "input"));

  test("lists exactly what there is, in a stable order", () =>
    withInput(async (list) => {
      const found = (await list()).flat();
      assert.deepEqual(yields === "record" ? found : found.map(keyOf), expected);
      assert.deepEqual((await list()).flat(), found);
    }));

  test("yields items that JSON carries as they are", () =>
    withInput(async (list) => {
      const found = (await list()).flat();
      assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
    }));

  ofFiles("names files by triplets that stay below a root and carry its number", () =>
    withInput(async (list) => {
      for (const item of (await list({ root: 3 })).flat()) {
        for (const [, { root, rel_dir, file_name }] of filesOf(yields, item)) {
          assert.equal(root, 3);
          assert.ok(!file_name.includes("/"));
          checkRelPath(rel_dir === "." ? file_name : `${rel_dir}/${file_name}`, "key");
        }
      }
    }),
  );

  unless(notFiles || (!definition.uniqueKeys && "its keys are not declared unique"))("gives each key once", () =>
    withInput(async (list) => {
      const keys = (await list()).flat().map(keyOf);
      assert.equal(new Set(keys).size, keys.length);
    }),
  );

  unless(notFiles || notOfRoot)("leaves out the directories in leaveOut, and .kagurazaka", () =>
    withInput(async (list, dir) => {
      writeFiles(dir, { ".kagurazaka/task/ledger/a.txt": "", "sub/.kagurazaka/b.txt": "" });
      assert.deepEqual((await list()).flat().map(keyOf), expected);
    }),
  );

  test("writes nothing", () =>
    withInput(async (list, dir) => {
      const before = readdirSync(dir, { recursive: true }).sort();
      await list();
      assert.deepEqual(readdirSync(dir, { recursive: true }).sort(), before);
    }));

  ofRoot("an empty root has no items, or only itself", () =>
    withInput(async (list, dir) => {
      const empty = join(dir, "empty");
      mkdirSync(empty);
      const found = (await list({ inputRoot: empty })).flat();
      assert.ok(found.length === 0 || (found.length === 1 && keyOf(found[0]!) === "empty"));
    }),
  );

  test("ends soon when its signal fires", () =>
    withInput(async (list) => {
      const found = await list({ signal: AbortSignal.abort(new Error("enough")) }).catch((error: Error) => {
        assert.match(`${error.name} ${error.message} ${String((error as { cause?: unknown }).cause)}`, /abort|enough/i);
        return [];
      });
      assert.ok(found.flat().length <= expected.length);
    }));
}

function keyOf(item: Item): string {
  const { rel_dir, ...named } = item.input as WireTriplet | WireGroup;
  const name = "stem" in named ? named.stem : named.file_name;
  return rel_dir === "." ? name : `${rel_dir}/${name}`;
}
