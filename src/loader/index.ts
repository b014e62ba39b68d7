export { openCacheDir } from "./cache/cache-dir.js";
export { exportsOf, isTaskClass } from "./exports.js";
export { codeFrame } from "./frame.js";
export { importExports, templateOf } from "./import-task.js";
export {
  type CompiledModule,
  type CompileOptions,
  compileModule,
  type LoadedTask,
  type LoadTaskOptions,
  loadBuiltinTask,
  loadTask,
} from "./load-task.js";
export { displayPath } from "./paths.js";
