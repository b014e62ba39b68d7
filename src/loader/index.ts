export { openCacheDir } from "./cache/cache-dir.js";
export { codeFrame } from "./frame.js";
export { compileModule, type LoadedTask, loadBuiltinTask, loadExport, loadTask } from "./load-task.js";
export { displayPath } from "./paths.js";
