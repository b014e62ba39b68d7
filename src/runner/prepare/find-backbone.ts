import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { backboneName, builtinNames, loadBuiltin } from "../../builtins.js";
import type { BackboneDefinition } from "../../contracts/backbone.js";
import type { TaskKind } from "../../contracts/task.js";
import { compileModule } from "../../loader/index.js";

/** The version of the contract in `contracts/backbone.ts`. */
const CONTRACT = 2;

/** A backbone by name, path or package name. `auto` is the one for the task's kind. */
export async function loadBackbone(asked: string, kind: TaskKind, sourcePath: string): Promise<BackboneDefinition> {
  const name = backboneName(asked, kind);
  const definition = (await loadBuiltin("backbones", name)) ?? (await loadForeign(name, sourcePath));
  if (!definition.kinds.includes(kind)) {
    throw new KagurazakaError(
      "backbone",
      `the backbone ${definition.name} cannot run ${kind} tasks, only: ${definition.kinds.join(", ")}`,
      { where: "--backbone" },
    );
  }
  return definition;
}

async function loadForeign(name: string, sourcePath: string): Promise<BackboneDefinition> {
  const url = /^[.\\/]|^file:|\.[cm]?[jt]s$/.test(name)
    ? (await compileModule({ file: name })).entryUrl
    : resolvePackage(name, sourcePath);
  const module = await importModule(name, url);
  const found = module.default;
  if (typeof found?.contract === "number" && found.contract !== CONTRACT) {
    throw new KagurazakaError(
      "backbone",
      `${name} implements version ${found.contract} of the backbone contract, this kagurazaka needs version ${CONTRACT}`,
      { where: "--backbone" },
    );
  }
  const has = (...methods: string[]): boolean => methods.every((method) => typeof found?.[method] === "function");
  if (!(has("openWorkers", "size") || has("openFleet", "openNode")) || !Array.isArray(found?.kinds)) {
    throw new KagurazakaError("backbone", `the default export of ${name} is not a backbone`, {
      where: "--backbone",
      hint: 'Write `export default defineBackbone({ … })` with defineBackbone from "kagurazaka/kit".',
    });
  }
  return found as unknown as BackboneDefinition;
}

async function importModule(name: string, url: string): Promise<{ default?: Readonly<Record<string, unknown>> }> {
  try {
    return (await import(url)) as { default?: Readonly<Record<string, unknown>> };
  } catch (cause) {
    const { name: kind, message } = toErrorRecord(cause);
    throw new KagurazakaError("backbone", `the backbone ${name} cannot be loaded: ${kind}: ${message}`, {
      where: "--backbone",
      cause,
    });
  }
}

/** Looks for a package beside the task first, then in the working directory. */
function resolvePackage(name: string, sourcePath: string): string {
  for (const from of [sourcePath, join(process.cwd(), "package.json")]) {
    try {
      const path = createRequire(from).resolve(name);
      if (existsSync(path)) return `file://${path}`;
    } catch {
      // Not found from there.
    }
  }
  const known = builtinNames("backbones");
  throw new KagurazakaError("backbone", `there is no backbone "${name}".${didYouMean(name, known)}`, {
    where: "--backbone",
    hint: `Known here: auto, ${known.join(", ")}; or the path of a file, or the name of an installed package.`,
  });
}
