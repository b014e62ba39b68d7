import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { KagurazakaError, toErrorRecord } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { builtinNames, loadBuiltin } from "../../builtins.js";
import type { BackboneDefinition } from "../../contracts/backbone.js";
import { compileModule } from "../../loader/index.js";

/** The seed's name for what became `onnx_single`. */
const ALIASES: Readonly<Record<string, string>> = { torch_vanilla_single: "onnx_single" };

/**
 * A backbone by name, by path, or by package name; `auto` is the one that fits the task's kind.
 * @param kind `undefined`: not checked, for help
 */
export async function loadBackbone(
  asked: string,
  kind: "item" | "batch" | undefined,
  sourcePath: string,
): Promise<BackboneDefinition> {
  const name = asked === "auto" ? (kind === "batch" ? "onnx_single" : "mp") : (ALIASES[asked] ?? asked);
  const definition = (await loadBuiltin("backbones", name)) ?? (await loadForeign(name, sourcePath));
  if (kind !== undefined && !definition.kinds.includes(kind)) {
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
  if (!found || typeof found.open !== "function" || typeof found.size !== "function" || !Array.isArray(found.kinds)) {
    throw new KagurazakaError("backbone", `${name} has no backbone as its default export`, {
      where: "--backbone",
      hint: 'Write `export default defineBackbone({ … })` with defineBackbone from "kagurazaka/kit".',
    });
  }
  if (found.contract !== 1) {
    throw new KagurazakaError(
      "backbone",
      `${name} speaks contract ${String(found.contract)} of backbones, this kagurazaka speaks 1`,
      { where: "--backbone" },
    );
  }
  return found as BackboneDefinition;
}

async function importModule(name: string, url: string): Promise<{ default?: Partial<BackboneDefinition> }> {
  try {
    return (await import(url)) as { default?: Partial<BackboneDefinition> };
  } catch (cause) {
    const { name: kind, message } = toErrorRecord(cause);
    throw new KagurazakaError("backbone", `the backbone ${name} cannot be loaded: ${kind}: ${message}`, {
      where: "--backbone",
      cause,
    });
  }
}

/** A package is looked for beside the task first, then from the working directory. */
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
