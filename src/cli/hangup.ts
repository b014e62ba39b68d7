import { readFileSync } from "node:fs";

/**
 * Whether this process was started to ignore SIGHUP, as nohup does. Node resets an ignored signal when it starts, so that this
 * shows only in what is around: the parent ignores it (`trap '' HUP`, nohup SCRIPT), the shell has noted which command it
 * started, or standard input is open for writing alone, which nohup does on a terminal.
 */
export function isHangupIgnored(env: NodeJS.ProcessEnv = process.env, procfs = "/proc"): boolean {
  if (/(?:^|\/)nohup$/.test(env._ ?? "")) return true;
  const ignored = field(`${procfs}/${process.ppid}/status`, /^SigIgn:\s*([0-9a-f]+)$/m);
  if (ignored !== undefined && Number.parseInt(ignored.slice(-1), 16) % 2 === 1) return true;
  const flags = field(`${procfs}/self/fdinfo/0`, /^flags:\s*([0-7]+)$/m);
  return flags !== undefined && Number.parseInt(flags, 8) % 4 === 1;
}

function field(path: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(readFileSync(path, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
