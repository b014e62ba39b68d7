import { accessSync, chmodSync, constants, lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";

/**
 * Real path of the directory for compiled modules, made if need be. Its files are run as code, so it belongs to this user, and
 * no other user can write to it: in a shared /tmp another user may have made a directory of that name first.
 */
export function openCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const asked = env.KAGURAZAKA_CACHE_DIR;
  const candidates = asked ? [resolve(asked)] : defaults(env);
  let cause: unknown;
  for (const candidate of candidates) {
    try {
      if (!asked) claim(candidate);
      return prepare(candidate);
    } catch (error) {
      cause ??= error;
    }
  }
  const message = `compiled tasks cannot be kept in ${candidates.join(" or ")}: ${(cause as Error).message}`;
  const hint = asked
    ? "Name a directory that belongs to you and can be written, or unset the variable."
    : "Set KAGURAZAKA_CACHE_DIR to a directory that can be written.";
  throw new KagurazakaError("environment", message, { where: asked && "KAGURAZAKA_CACHE_DIR", hint, cause });
}

function defaults(env: NodeJS.ProcessEnv): string[] {
  const xdg = env.XDG_CACHE_HOME;
  // The XDG specification says that relative paths are to be ignored.
  const base = xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), ".cache");
  return [join(base, "kagurazaka"), join(tmpdir(), `kagurazaka-${process.getuid?.() ?? "user"}`)];
}

function prepare(root: string): string {
  if (root.includes("\\")) throw new Error("Node imports no module from a path with a backslash");
  const dir = join(root, "modules");
  claim(dir);
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  // Source maps name their sources relative to the real path, for Node resolves links.
  return realpathSync(dir);
}

/** Makes the directory this user's alone. A link to it is checked, too: its owner could point it elsewhere later. */
function claim(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const uid = process.getuid?.();
  const stat = statSync(dir);
  if (uid !== undefined && (stat.uid !== uid || lstatSync(dir).uid !== uid))
    throw new Error(`${dir} belongs to another user`);
  if ((stat.mode & 0o777) !== 0o700) chmodSync(dir, 0o700);
}
