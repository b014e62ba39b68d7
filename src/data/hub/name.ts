import { KagurazakaError } from "../../base/errors.js";

/** A dataset of the hub, as a user names it. */
interface HubName {
  /** `org/name`, or a `name` of the old ones. */
  readonly name: string;
  readonly revision: string | undefined;
  /** A file or a pattern in it. */
  readonly path: string | undefined;
}

const PART = String.raw`[A-Za-z0-9](?:[\w.-]*[\w])?`;
const BARE = new RegExp(`^(${PART}/${PART})(?:@([^\\s@]+))?$`);
const URL_OF = new RegExp(
  `^hf://(datasets/)?(${PART}(?:/${PART})?)(?:@(refs/[^\\s@/]+/[^\\s@/]+|[^\\s@/]+))?(?:/(.+))?$`,
);

/**
 * Reads `org/name`, `hf://org/name`, `hf://datasets/org/name`, each with an `@revision`; behind the latter two, `/path/of/*.parquet`.
 * @returns undefined for what is no such name
 * @throws KagurazakaError `bad-value` for an hf:// URL that makes no sense
 */
export function parseHubName(spec: string): HubName | undefined {
  const isUrl = spec.startsWith("hf://");
  const [, name, revision, path] = isUrl
    ? (URL_OF.exec(spec)?.slice(1) ?? [])
    : ["", ...(BARE.exec(spec)?.slice(1) ?? [])];
  const isOther = /^hf:\/\/(?:models|spaces|buckets|kernels)\//.test(spec);
  const isFine = !isOther && name !== undefined && !/--|\.\./.test(name) && !path?.split("/").includes("..");
  // In a URL, the slashes of a revision are written %2F.
  if (isFine) return { name, revision: revision?.replace(/%2F/gi, "/"), path };
  if (!isUrl) return undefined;
  throw new KagurazakaError("bad-value", `${spec} is not a dataset of the hub`, {
    where: spec,
    hint: isOther
      ? "Only datasets can be read."
      : "Write hf://datasets/org/name, with @revision and /path where they are needed.",
  });
}
