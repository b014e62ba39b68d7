import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkFloors, findWrites, floors } from "./floors.js";
import { findCircles, type Sources } from "./imports.js";

const root = new URL("../..", import.meta.url).pathname;
const names = readdirSync(join(root, "src/runner"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.c?ts$/.test(name))
  .map((name) => `src/runner/${name}`);
const sources: Sources = Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name), "utf8")]));
const folders = Object.keys(floors).filter((name) => name !== ".");

describe("the runner's folders", () => {
  test("import only downwards, types included", () => expect(checkFloors(sources)).toEqual([]));

  test("are those that have a rule", () => {
    const found = names.flatMap((name) => /^src\/runner\/([^/]+)\//.exec(name)?.[1] ?? []);
    expect([...new Set(found)].toSorted()).toEqual(folders.toSorted());
  });

  test("have rules that make no circle", () => {
    const rules = Object.fromEntries(
      folders.map((folder) => [
        `src/${folder}.ts`,
        floors[folder]!.map((to) => `import "./${to.split("/")[0]}.js";`).join("\n"),
      ]),
    );
    expect(findCircles(rules)).toEqual([]);
  });

  const forbidden = folders.flatMap((from) =>
    [...folders, "cli", "testing"]
      .filter((to) => to !== from && !floors[from]!.some((allowed) => allowed.split("/")[0] === to))
      .map((to) => [from, to] as const),
  );
  test.each(forbidden)("%s must not import %s", (from, to) => {
    const path = folders.includes(to) ? `../${to}/y.js` : `../../${to}/y.js`;
    expect(checkFloors({ [`src/runner/${from}/x.ts`]: `import type { y } from "${path}";` })).toEqual([
      expect.stringContaining(`${from} must not import ${to}`),
    ]);
  });

  test("dispatch knows chunks and not the plan they come from", () => {
    const found = checkFloors({ "src/runner/dispatch/x.ts": 'import { Planner } from "../plan/planner.js";' });
    expect(found).toEqual([expect.stringContaining("dispatch must not import plan")]);
  });

  test("prepare writes nothing", () => expect(findWrites(sources)).toEqual([]));
  test.each([
    'import { existsSync, writeFileSync } from "node:fs";',
    'import { rm } from "node:fs/promises";',
    'import { replaceFile } from "../../base/whole-file.js";',
  ])("prepare must not have %s", (line) => {
    expect(findWrites({ "src/runner/prepare/x.ts": line })).toEqual([
      expect.stringContaining("prepare writes nothing, but imports"),
    ]);
    expect(findWrites({ "src/runner/run/x.ts": line })).toEqual([]);
  });

  test("a new folder needs a rule", () => {
    const found = checkFloors({ "src/runner/attic/x.ts": 'import { y } from "../../base/y.js";' });
    expect(found).toEqual([expect.stringContaining('the folder "attic" of the runner has no rule')]);
  });
});
