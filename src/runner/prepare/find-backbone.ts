import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ErrorDetails, KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { settles } from "../../base/settles.js";
import { backboneName, builtinNames, loadBuiltin } from "../../builtins.js";
import type { BackboneDefinition } from "../../contracts/backbone.js";
import type { TaskKind } from "../../contracts/task.js";
import { exportsOf } from "../../loader/exports.js";
import { compileModule } from "../../loader/index.js";

/** The version of the contract in `contracts/backbone.ts`. */
const CONTRACT = 2;

/**
 * A backbone by name, by path, or by package name; `auto` is the one that fits the task's kind.
 * @param kind undefined: not checked, for help
 */
export async function loadBackbone(
  asked: string,
  kind: TaskKind | undefined,
  sourcePath: string,
): Promise<BackboneDefinition> {
  const name = backboneName(asked, kind ?? "item");
  const definition = (await loadBuiltin("backbones", name)) ?? (await loadForeign(name, sourcePath));
  if (kind === undefined || definition.kinds.includes(kind)) return definition;
  throw refused(`the backbone ${definition.name} cannot run ${kind} tasks, only: ${definition.kinds.join(", ")}`);
}

const refused = (message: string, details: ErrorDetails = {}): KagurazakaError =>
  new KagurazakaError("backbone", message, { where: "--backbone", ...details });

async function loadForeign(name: string, sourcePath: string): Promise<BackboneDefinition> {
  const url = /^[.\\/]|^file:|\.[cm]?[jt]s$/.test(name)
    ? (await compileModule({ file: name })).entryUrl
    : resolvePackage(name, sourcePath);
  const found = await importDefault(name, url);
  if (typeof found?.contract === "number" && found.contract !== CONTRACT) {
    const version = `implements version ${found.contract} of the backbone contract`;
    throw refused(`${name} ${version}, this kagurazaka needs version ${CONTRACT}`);
  }
  const has = (...methods: string[]): boolean => methods.every((method) => typeof found?.[method] === "function");
  if ((has("openWorkers", "size") || has("openFleet", "openNode")) && Array.isArray(found?.kinds))
    return found as unknown as BackboneDefinition;
  throw refused(`the default export of ${name} is not a backbone`, {
    hint: 'Write `export default defineBackbone({ … })` with defineBackbone from "kagurazaka/kit".',
  });
}

async function importDefault(name: string, url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const module = (await settles(`the top level of ${name}`, import(url), name)) as object;
    return exportsOf(module).get("default") as Readonly<Record<string, unknown>> | undefined;
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    const { name: kind, message } = toErrorRecord(cause);
    throw refused(`the backbone ${name} cannot be loaded: ${kind}: ${message}`, { cause });
  }
}

/** Looks for a package beside the task first, then in the working directory. */
function resolvePackage(name: string, sourcePath: string): string {
  for (const from of [sourcePath, join(process.cwd(), "package.json")]) {
    try {
      const path = createRequire(from).resolve(name);
      if (existsSync(path)) return pathToFileURL(path).href;
    } catch {
      // Not found from there.
    }
  }
  const known = builtinNames("backbones");
  throw refused(`there is no backbone "${name}".${didYouMean(name, known)}`, {
    hint: `Known here: auto, ${known.join(", ")}; or the path of a file, or the name of an installed package.`,
  });
}
