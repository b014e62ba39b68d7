import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { namesItem, parseWord } from "./words.js";

interface Options {
  readonly task: Readonly<Record<string, unknown>>;
  readonly template: Readonly<Record<string, unknown>> | null;
  readonly rawArgs: readonly string[];
}

/**
 * Where outputs show what is finished, one id is enough. Where only the ledger does, each command over each directory has a
 * ledger of its own: what one command has finished, another has not.
 */
export function commandId({ task, template, rawArgs }: Options): string {
  const roots = template?.hardShardMode as Readonly<Record<string, unknown>> | null | undefined;
  if (roots?.outputPath || roots?.baseOutputPath) return "exec";
  const { use: _, ...input } = roots ?? {};
  const places = Object.values(input).map((value) => (typeof value === "string" ? resolve(value) : value));
  const stdin = task.stdin === "auto" && namesItem(rawArgs.map(parseWord)) ? "none" : task.stdin;
  const what = JSON.stringify([rawArgs, task.cwd ?? null, stdin ?? null, places]);
  const program = basename(rawArgs[0] ?? "")
    .replace(/[^\w.-]/g, "_")
    .slice(0, 40);
  return `exec-${program}-${createHash("sha256").update(what).digest("hex").slice(0, 8)}`;
}
