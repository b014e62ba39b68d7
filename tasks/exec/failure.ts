import { PermanentError } from "kagurazaka";

/** How a program ended. `signal` as Node names it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * `gzip: exit code 1`; failures of one program are told apart by code. The end of what it said on standard error stands
 * where a stack would: in reports, and in failed.jsonl.
 */
export function programFailure(program: string, { code, signal }: Ending, stderr: string, permanent: boolean): Error {
  const how = signal === null ? `exit code ${code}` : `killed by ${signal}`;
  const message = `${program}: ${how}`;
  const said = stderr.trimEnd();
  return Object.assign(permanent ? new PermanentError(message) : new Error(message), {
    code: signal ?? `exit-${code}`,
    stack: said === "" ? message : `${message}\n${said}`,
  });
}

const hopeless: Readonly<Record<string, string>> = {
  ENOENT: "no such program or directory",
  EACCES: "permission denied",
  ENOEXEC: "not in a form this system can run",
  E2BIG: "its words are longer than this system allows",
  ERR_INVALID_ARG_VALUE: "a word holds a zero byte",
};

/** It was never started. Trying again helps where memory or processes ran short, and nowhere else. */
export function startFailure(program: string, cause: unknown): Error {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const why = Object.hasOwn(hopeless, code) ? hopeless[code] : undefined;
  const said = `cannot start ${program}: ${why ?? message}`;
  return Object.assign(why === undefined ? new Error(said) : new PermanentError(said), { code, stack: said });
}
