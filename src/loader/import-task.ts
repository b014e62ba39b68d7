import { KagurazakaError } from "../base/errors.js";
import { settles } from "../base/settles.js";
import { enableSourceMaps } from "../base/source-maps.js";
import { type TemplateUse, templateBrand } from "../contracts/define.js";
import type { TaskClass } from "../contracts/task.js";
import { type Exports, exportsOf } from "./exports.js";
import { displayPath } from "./paths.js";

/** Imports a module made by `compileModule`; `sourcePath` and `files` are for messages. */
export async function importExports(
  entryUrl: string,
  sourcePath?: string,
  files: readonly string[] = [],
): Promise<Exports> {
  enableSourceMaps();
  try {
    const path = displayPath(sourcePath ?? entryUrl);
    return exportsOf((await settles(`the top level of ${path}`, import(entryUrl), path)) as object);
  } catch (thrown) {
    if (KagurazakaError.is(thrown) && thrown.code === "task-ended") throw thrown;
    const { loadFailure } = await import("./load-failure.js");
    throw loadFailure(thrown, entryUrl, sourcePath ?? entryUrl, files);
  }
}

/** What a template decorator has set on this very class; a subclass has to be decorated itself. */
export function templateOf(taskClass: TaskClass): TemplateUse | undefined {
  if (!Object.hasOwn(taskClass, templateBrand)) return undefined;
  const use = (taskClass as unknown as Record<symbol, TemplateUse>)[templateBrand]!;
  if (use.contract === 1) return use;
  const message = `class ${taskClass.name} is decorated by a template for another version of kagurazaka`;
  const hint = `The template speaks contract ${String(use.contract)}, this kagurazaka speaks contract 1: update the older of the two.`;
  throw new KagurazakaError("not-a-task", message, { hint });
}
