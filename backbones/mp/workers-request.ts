import type { WarmUpRequest, WorkersRequest } from "../../src/kit.js";
import type { CpuShares } from "./cpu-affinity.js";

/** The request to open threads or processes. */
export interface MpRequest extends Omit<WorkersRequest, "options"> {
  readonly maxHeapBytes: number | undefined;
  readonly cpus: CpuShares | undefined;
}

/** What `warmUp` is told. */
export interface MpWarmUp extends Omit<WarmUpRequest, "options"> {
  readonly maxHeapBytes: number | undefined;
}

/** The heap limit for V8, in MiB. At least 8, which V8 needs to start. */
export const heapMegabytes = (bytes: number): number => Math.max(8, Math.floor(bytes / 2 ** 20));
