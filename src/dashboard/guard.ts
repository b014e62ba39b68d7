import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

/** What a request may do: be opened by a link from anywhere, read data, or change something. */
export type Access = "page" | "data" | "change";

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/**
 * Why a request is refused, or undefined. Other pages in the same browser can send requests here, but neither choose their
 * `Origin` and `Sec-Fetch-Site`, nor, when they point a name of their own at this machine, their `Host`. Programs that are no
 * browsers send none of them but `Host`.
 * @param allowedHosts in lower case, without port
 */
export function refusalOf(
  headers: IncomingHttpHeaders,
  access: Access,
  allowedHosts: readonly string[],
): Refusal | undefined {
  const own = parseHost(headers.host ?? "");
  if (own === undefined || !isAllowedHost(own.hostname, allowedHosts)) {
    const name = own === undefined ? "" : ` "${own.hostname}"`;
    return { status: 421, message: `the host${name} is not one of this dashboard: name it with --allow-host` };
  }
  if (access === "page") return undefined;
  const site = headers["sec-fetch-site"];
  const sites = access === "data" ? ["same-origin", "none"] : ["same-origin"];
  if (site !== undefined && !sites.includes(String(site)))
    return { status: 403, message: "the request comes from another site" };
  if (headers.origin !== undefined && parseHost(headers.origin.replace(/^https?:\/\//, ""))?.host !== own.host)
    return { status: 403, message: "the request comes from another origin; a proxy must pass on the header Host" };
  return undefined;
}

/** An IP address cannot be pointed elsewhere, as a name can. */
const isAllowedHost = (name: string, allowed: readonly string[]): boolean =>
  isIP(name.replace(/^\[|\]$/g, "")) !== 0 || /^(?:.*\.)?localhost$/.test(name) || allowed.includes(name);

function parseHost(text: string): { host: string; hostname: string } | undefined {
  if (!/^[\w.:[\]-]+$/.test(text)) return undefined;
  try {
    return new URL(`http://${text}`);
  } catch {
    return undefined;
  }
}

/** As it stands in a URL. */
export const urlHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

export const isWildcard = (host: string): boolean => host === "0.0.0.0" || host === "::";
