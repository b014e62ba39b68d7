import type { WorkersRequest } from "../../src/kit.js";
import type { CpuShares } from "./cpu-affinity.js";

/** What threads and processes are opened with. */
export interface MpRequest extends Omit<WorkersRequest, "options"> {
  readonly maxHeapBytes: number | undefined;
  readonly cpus: CpuShares | undefined;
}

/** The heap limit as V8 takes it: in megabytes of 1024², and never so few that it cannot start. */
export const heapMegabytes = (bytes: number): number => Math.max(8, Math.floor(bytes / 2 ** 20));
