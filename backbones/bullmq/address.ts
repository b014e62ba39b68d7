import { KagurazakaError } from "../../src/kit.js";

export interface Address {
  readonly kind: "one" | "sentinel" | "cluster";
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly login: { readonly username?: string; readonly password?: string };
  readonly tls: boolean;
  readonly db: number;
  /** Of a sentinel: the name of the master. */
  readonly name: string | undefined;
  /** Without the password. */
  readonly shown: string;
}

const FORM =
  /^(redis|rediss|redis-sentinel|rediss-sentinel|redis-cluster|rediss-cluster):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?#]+)((?:\/[^/?#]*)*)\/?$/;

/** `redis://`, `rediss://`, and both with `-sentinel` or `-cluster` and several hosts. Messages never hold the password. */
export function parseAddress(url: string): Address {
  const found = FORM.exec(url.trim());
  if (!found)
    throw bad(
      "is not the URL of a Redis",
      "Write redis://HOST:6379, rediss://USER:PASSWORD@HOST:6379 or redis-sentinel://HOST,HOST/NAME.",
    );
  const [, scheme = "", user = "", password, list = "", path = ""] = found;
  const kind = scheme.endsWith("-sentinel") ? "sentinel" : scheme.endsWith("-cluster") ? "cluster" : "one";
  const hosts = list.split(",").map((one) => hostOf(one, kind === "sentinel" ? 26_379 : 6379));
  if (kind === "one" && hosts.length > 1)
    throw bad("names several hosts", "Use redis-sentinel:// or redis-cluster://.");
  const steps = path.split("/").filter((step) => step !== "");
  const name = kind === "sentinel" ? steps.shift() : undefined;
  if (kind === "sentinel" && name === undefined)
    throw bad("does not name the master", "Write redis-sentinel://HOST,HOST/NAME.");
  const [number = "0", ...more] = steps;
  if (more.length > 0 || !/^\d{1,5}$/.test(number) || (kind === "cluster" && number !== "0"))
    throw bad("has a path that is not a database number", "Databases are numbered: redis://HOST:6379/0.");
  return {
    kind,
    hosts,
    login: {
      ...(user === "" ? {} : { username: decoded(user) }),
      ...(password === undefined ? {} : { password: decoded(password) }),
    },
    tls: scheme.startsWith("rediss"),
    db: Number(number),
    name,
    shown: `${scheme}://${list}${path}`,
  };
}

function hostOf(text: string, defaultPort: number): { host: string; port: number } {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) throw bad("has a host that is none", "Write HOST or HOST:PORT.");
  return { host: host.replace(/^\[|\]$/g, ""), port: port === undefined ? defaultPort : Number(port) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad("has a % that stands for nothing in its user or password", "Write % as %25.");
  }
}

const bad = (what: string, hint: string): KagurazakaError =>
  new KagurazakaError("bad-value", `--redis ${what}`, { where: "--redis", hint });
