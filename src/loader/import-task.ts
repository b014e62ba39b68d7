import { KagurazakaError } from "../base/errors.js";
import { enableSourceMaps } from "../base/source-maps.js";
import { type TemplateUse, templateBrand } from "../contracts/define.js";
import type { TaskClass } from "../contracts/task.js";
import { type Exports, exportsOf } from "./exports.js";

/** Imports a module made by `compileModule`; `sourcePath` and `files` are for messages. */
export async function importExports(
  entryUrl: string,
  sourcePath?: string,
  files: readonly string[] = [],
): Promise<Exports> {
  enableSourceMaps();
  try {
    return exportsOf((await import(entryUrl)) as object);
  } catch (thrown) {
    const { loadFailure } = await import("./load-failure.js");
    throw loadFailure(thrown, entryUrl, sourcePath ?? entryUrl, files);
  }
}

/** What a template decorator left on this very class; a subclass has to be decorated itself. */
export function templateOf(taskClass: TaskClass): TemplateUse | undefined {
  if (!Object.hasOwn(taskClass, templateBrand)) return undefined;
  const use = (taskClass as unknown as Record<symbol, TemplateUse>)[templateBrand]!;
  if (use.contract === 1) return use;
  throw new KagurazakaError(
    "not-a-task",
    `class ${taskClass.name} is decorated by a template for another version of kagurazaka`,
    {
      hint: `The template speaks contract ${String(use.contract)}, this kagurazaka speaks contract 1: update the older of the two.`,
    },
  );
}
