/** Keys of the Python tool that mean nothing here; a YAML written for it may keep them. */
export const ignoredKeys: ReadonlySet<string> = new Set([
  "pin_memory",
  "pin_memory_device",
  "persistent_workers",
  "num_workers",
  "prefetch_factor",
  "multiprocessing_context",
  "worker_init_fn",
  "non_blocking",
  "device",
]);
