import { existsSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { sha256Hex } from "../base/hash.js";
import type { TemplateUse } from "../contracts/define.js";
import type { TaskClass } from "../contracts/task.js";
import { countedFiles } from "./cache/digest.js";
import { ModuleCache } from "./cache/module-cache.js";
import { selectExport, selectTask } from "./exports.js";
import { importExports, templateOf } from "./import-task.js";
import { displayPath, isInside } from "./paths.js";
import { resolveSourceFile } from "./source-file.js";
import { idOf } from "./task-id.js";
import { locateTool } from "./tool.js";

interface CompileOptions {
  /** Path (relative to the working directory, or absolute) or file URL. */
  readonly file: string;
  /** Package directory of the kagurazaka that `import "kagurazaka"` means. Default: the running one. */
  readonly toolRoot?: string;
}

interface LoadTaskOptions extends CompileOptions {
  /** Default: the only task the file exports. */
  readonly exportName?: string;
}

interface CompiledModule {
  /** What any thread or process on this machine imports. */
  readonly entryUrl: string;
  /** Absolute, links resolved. */
  readonly sourcePath: string;
  /** Relative paths and bytes of local files, versions of direct dependencies: the same on every machine. */
  readonly moduleHash: string;
  /** The local files it was made from. */
  readonly files: readonly string[];
  /** Their hashes as they count in `moduleHash`, by path relative to the entry's directory. */
  readonly fileHashes: Readonly<Record<string, string>>;
  /** `false`: taken as it was compiled before. */
  readonly built: boolean;
}

export interface LoadedTask extends CompiledModule {
  readonly taskClass: TaskClass;
  /** For a task made with a template decorator. */
  readonly template: TemplateUse | undefined;
  readonly exportName: string;
  readonly id: string;
}

/** Makes a user's module, a task or a plug-in named by path, ready for `import()`. @throws KagurazakaError */
export async function compileModule({ file, toolRoot }: CompileOptions): Promise<CompiledModule> {
  const sourcePath = resolveSourceFile(file);
  const tool = locateTool(toolRoot);
  if (isInside(sourcePath, join(tool.root, "dist"))) {
    const moduleHash = sha256Hex(readFileSync(sourcePath));
    const fileHashes = { [basename(sourcePath)]: moduleHash };
    return {
      entryUrl: pathToFileURL(sourcePath).href,
      sourcePath,
      moduleHash,
      files: [sourcePath],
      fileHashes,
      built: false,
    };
  }
  const cache = new ModuleCache(tool, sourcePath);
  const found = cache.find();
  const { entryUrl, provenance } =
    found ?? (await (await import("./build/build.js")).buildModule(sourcePath, tool, cache));
  const files = provenance.files.map(({ path }) => path);
  const { moduleHash } = provenance;
  const fileHashes = Object.fromEntries(countedFiles(sourcePath, provenance.files));
  return { entryUrl, sourcePath, moduleHash, files, fileHashes, built: found === undefined };
}

export async function loadTask(options: LoadTaskOptions): Promise<LoadedTask> {
  const compiled = await compileModule(options);
  const { entryUrl, sourcePath, files } = compiled;
  const exports = await importExports(entryUrl, sourcePath, files);
  const selected = selectTask(exports, options.exportName, {
    source: displayPath(sourcePath),
    text: readFileSync(sourcePath, "utf8"),
  });
  const { taskClass, exportName } = selected;
  return {
    ...compiled,
    taskClass,
    exportName,
    template: templateOf(taskClass),
    id: idOf(selected, exports, sourcePath),
  };
}

interface LoadedExport extends CompiledModule {
  readonly exportName: string;
}

/**
 * A module with one of its exports, as a user writes it: `clean.ts#clean`. Without a name, the only export there is.
 * @throws KagurazakaError
 */
export async function loadExport(text: string): Promise<LoadedExport> {
  const hash = text.lastIndexOf("#");
  const [file, name] = hash < 0 ? [text, undefined] : [text.slice(0, hash), text.slice(hash + 1)];
  const compiled = await compileModule({ file });
  const exports = await importExports(compiled.entryUrl, compiled.sourcePath, compiled.files);
  return { ...compiled, exportName: selectExport(exports, name, displayPath(compiled.sourcePath)) };
}

/**
 * A ready-made task. `module` is its URL or path as the built product names it; where only its TypeScript exists (tests run
 * the sources), that is compiled as a user's file is.
 */
export async function loadBuiltinTask(
  name: string,
  module: string,
  options: Omit<LoadTaskOptions, "file"> = {},
): Promise<LoadedTask> {
  const path = module.startsWith("file:") ? fileURLToPath(module) : module;
  const source = `${path.slice(0, -extname(path).length)}.ts`;
  const loaded = await loadTask({
    ...options,
    file: extname(path) === ".js" && !existsSync(path) && existsSync(source) ? source : path,
  });
  return Object.hasOwn(loaded.taskClass, "id") ? loaded : { ...loaded, id: name };
}
