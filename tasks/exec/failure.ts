import { PermanentError } from "kagurazaka";

/** How a program ended. `signal` as Node names it. */
interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * `gzip: exit code 1`; failures of one program are classed by exit code. The end of its standard error takes the place of the
 * stack: in reports, and in failed.jsonl.
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
  E2BIG: "its arguments are longer than this system allows",
  ERR_INVALID_ARG_VALUE: "an argument has a zero byte",
};

/** The error of a program that could not be started. Another try helps only where memory or processes ran short. */
export function startFailure(program: string, cause: unknown): Error {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const why = Object.hasOwn(hopeless, code) ? hopeless[code] : undefined;
  const said = `cannot start ${program}: ${why ?? message}`;
  return Object.assign(why === undefined ? new Error(said) : new PermanentError(said), { code, stack: said });
}
