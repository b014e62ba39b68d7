/** URL of the module that every worker of this machine runs. */
export const WORKER_ENTRY = new URL("./main.js", import.meta.url).href;
