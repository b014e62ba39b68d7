import { execFile } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { KagurazakaError } from "../../src/kit.js";

/** Assigns processors to workers: `take` returns the one with the fewest workers. */
export interface CpuShares {
  take(): number;
  giveBack(cpu: number): void;
}

export function openCpuShares(cpus: readonly number[] | undefined): CpuShares | undefined {
  if (cpus === undefined) return undefined;
  const workers = new Map(cpus.map((cpu) => [cpu, 0]));
  const add = (cpu: number, count: number): void => void workers.set(cpu, workers.get(cpu)! + count);
  return {
    take() {
      const [cpu] = [...workers].reduce((least, one) => (one[1] < least[1] ? one : least));
      add(cpu, 1);
      return cpu;
    },
    giveBack: (cpu) => add(cpu, -1),
  };
}

const MAX_RANGES = 1000;

/** `0,1`, `0-3,8`; a YAML list arrives as its JSON. */
export function parseCpus(text: string): number[] {
  const ranges = text.replace(/^\[(.*)\]$/, "$1").split(",");
  if (ranges.length > MAX_RANGES) throw new Error(`a list of at most ${MAX_RANGES} processors or ranges`);
  return [...new Set(ranges.flatMap(parseRange))];
}

function parseRange(text: string): number[] {
  const [, first, last = first] = /^\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?$/.exec(text) ?? [];
  if (first === undefined || Number(last) < Number(first))
    throw new Error("a list of processors like 0,1 or 0-3,8, counted from 0");
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
}

/** @throws KagurazakaError where workers cannot be pinned to these processors on this machine */
export function checkCpus(cpus: readonly number[] | undefined): void {
  if (cpus === undefined) return;
  const refuse = (message: string, hint: string): never => {
    throw new KagurazakaError("backbone", message, { where: "--cpu_affinity", hint });
  };
  if (process.platform !== "linux") refuse("workers can only be pinned to processors on Linux", "Leave the flag out.");
  const [, list = ""] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  const allowed = parseCpus(list);
  const missing = cpus.filter((cpu) => !allowed.includes(cpu));
  if (missing.length > 0)
    refuse(`there is no processor ${missing.join(", ")} for this process`, `It may use ${list}, counted from 0.`);
  if (!isInstalled("taskset"))
    refuse("taskset is not installed", "It comes with util-linux: install that, or leave the flag out.");
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Pins a process with all of its threads, or one thread. Processes and threads that it starts later inherit the processor. */
export function pinTo(cpu: number, target: { pid: number } | { tid: number }, onFailure: (why: string) => void): void {
  const words =
    "pid" in target ? ["-a", "-p", "-c", `${cpu}`, `${target.pid}`] : ["-p", "-c", `${cpu}`, `${target.tid}`];
  execFile("taskset", words, (error, _stdout, stderr) => {
    if (error) onFailure(`a worker could not be pinned to processor ${cpu}: ${stderr.trim() || error.message}`);
  });
}
