import { accessSync, chmodSync, constants, lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";

/**
 * Real path of the directory for compiled modules, made if need be. What lies there is run, so it belongs to this user
 * and nobody else can write to it: in a shared /tmp somebody may have been there first.
 */
export function openCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const asked = env.KAGURAZAKA_CACHE_DIR;
  if (asked) {
    try {
      return prepare(resolve(asked));
    } catch (cause) {
      throw new KagurazakaError(
        "environment",
        `compiled tasks cannot be kept in ${asked}: ${(cause as Error).message}`,
        {
          where: "KAGURAZAKA_CACHE_DIR",
          hint: "Name a directory that belongs to you and can be written, or unset the variable.",
          cause,
        },
      );
    }
  }
  let cause: unknown;
  for (const candidate of defaults(env)) {
    try {
      claim(candidate);
      return prepare(candidate);
    } catch (error) {
      cause ??= error;
    }
  }
  throw new KagurazakaError("environment", `compiled tasks can be kept nowhere: ${(cause as Error).message}`, {
    hint: "Set KAGURAZAKA_CACHE_DIR to a directory that can be written.",
    cause,
  });
}

function defaults(env: NodeJS.ProcessEnv): string[] {
  const xdg = env.XDG_CACHE_HOME;
  // A relative XDG path is to be ignored, says its specification.
  const base = xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), ".cache");
  return [join(base, "kagurazaka"), join(tmpdir(), `kagurazaka-${process.getuid?.() ?? "user"}`)];
}

function prepare(root: string): string {
  const dir = join(root, "modules");
  claim(dir);
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  // Source maps name their sources from the real place: Node sees only that.
  return realpathSync(dir);
}

/** Makes the directory this user's alone. The link itself is asked too: whoever owns it could point it elsewhere later. */
function claim(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const uid = process.getuid?.();
  const stat = statSync(dir);
  if (uid !== undefined && (stat.uid !== uid || lstatSync(dir).uid !== uid))
    throw new Error(`${dir} belongs to another user`);
  if ((stat.mode & 0o777) !== 0o700) chmodSync(dir, 0o700);
}
