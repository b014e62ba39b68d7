import { KagurazakaError } from "../../base/errors.js";
import { nearestName } from "../../base/nearest.js";
import { nameOfUrl, requestWhole } from "../stores/request.js";
import type { HubSettings } from "./settings.js";

/** A file of a commit, as the hub lists it. */
export interface RemoteFile {
  readonly name: string;
  readonly size: number;
  /** What its bytes hash to, in hex: by SHA-256 for a large file (64 letters), as a blob of git for others (40). */
  readonly blob: string;
}

/** Of one answer: a page of the list has about 1000 files. */
const MAX_ANSWER = 64 << 20;
const COMMIT = /^[0-9a-f]{40}$/;

export interface WantedDataset {
  readonly name: string;
  readonly revision: string;
  /** Names of other datasets, for suggestions. */
  readonly known: readonly string[];
}

/** The commit that a revision is now. @throws KagurazakaError `source` */
export async function commitOf(wanted: WantedDataset, settings: HubSettings): Promise<string> {
  const { datasetInfo } = await import("@huggingface/hub");
  const { name, revision } = wanted;
  const { sha } = await asking(wanted, settings, (fetch) =>
    datasetInfo({ name, revision, additionalFields: ["sha"], hubUrl: settings.endpoint, fetch }),
  );
  if (typeof sha === "string" && COMMIT.test(sha)) return sha;
  throw new KagurazakaError("source", `${settings.endpoint} does not say which commit ${revision} of ${name} is`, {
    where: name,
  });
}

/** All files of a commit. @throws KagurazakaError `source` */
export async function filesOf(wanted: WantedDataset, commit: string, settings: HubSettings): Promise<RemoteFile[]> {
  const { listFiles } = await import("@huggingface/hub");
  const repo = { type: "dataset", name: wanted.name } as const;
  return await asking(wanted, settings, async (fetch) => {
    const files: RemoteFile[] = [];
    for await (const entry of listFiles({
      repo,
      revision: commit,
      recursive: true,
      hubUrl: settings.endpoint,
      fetch,
    })) {
      const { type, path, size, oid, lfs } = entry;
      if (type === "file")
        files.push(checkFile({ name: path, size: lfs?.size ?? size, blob: lfs?.oid ?? oid ?? "" }, wanted));
    }
    return files;
  });
}

/** Names become paths of the cache: one that leads elsewhere is an attack. */
export function checkFile(file: RemoteFile, { name }: Pick<WantedDataset, "name">): RemoteFile {
  const isSafe = !/[\\\0]/.test(file.name) && file.name.split("/").every((part) => !["", ".", ".."].includes(part));
  const isWhole =
    Number.isSafeInteger(file.size) && file.size >= 0 && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(file.blob);
  if (isSafe && isWhole) return file;
  throw new KagurazakaError("source", `${name} has a file that cannot be used: ${JSON.stringify(file.name)}`, {
    where: name,
  });
}

/** Runs a function of the package with our own fetch: one place knows the token, waits, tries again, and says what a refusal means. */
async function asking<T>(
  wanted: WantedDataset,
  settings: HubSettings,
  ask: (fetch: typeof globalThis.fetch) => Promise<T>,
): Promise<T> {
  const origin = new URL(settings.endpoint).origin;
  const ours: typeof fetch = async (input) => {
    const url = String(input);
    // The next page may be anywhere, as far as the package is concerned.
    const authorization = new URL(url).origin === origin ? settings.authorization : undefined;
    const headers = { accept: "application/json" };
    const answer = await requestWhole({ url, headers, authorization, patience: settings.patience }, MAX_ANSWER);
    if (answer.status !== 200) throw refusal(wanted, settings, answer.status, answer.headers);
    return new Response(new Uint8Array(answer.body), { status: 200, headers: answer.headers });
  };
  try {
    return await ask(ours);
  } catch (cause) {
    if (KagurazakaError.is(cause)) throw cause;
    const what = `unexpected response from the hub ${nameOfUrl(settings.endpoint)} for ${wanted.name}: ${(cause as Error).message}`;
    throw new KagurazakaError("source", what, { where: wanted.name, cause });
  }
}

/** What the hub means by a status. It hides private datasets: who may not see one hears that there is none. */
export function refusal(
  wanted: WantedDataset,
  settings: HubSettings,
  status: number,
  headers: Headers,
): KagurazakaError {
  const { name, revision, known } = wanted;
  const hasToken = settings.authorization !== undefined;
  const why = headers.get("x-error-code");
  const error = (what: string, hint: string): KagurazakaError =>
    new KagurazakaError("source", what, { where: name, hint });
  if (why === "GatedRepo" || (status === 403 && why === null))
    return error(
      `the dataset ${name} is only for those who were given access (HTTP ${status})`,
      hasToken
        ? `Ask for access at ${settings.endpoint}/datasets/${name}, with the account of your token.`
        : `Ask for access at ${settings.endpoint}/datasets/${name}, then set HF_TOKEN.`,
    );
  if (why === "RevisionNotFound")
    return error(
      `the dataset ${name} has no revision "${revision}"`,
      "Name a branch, a tag or a commit; the usual one is main.",
    );
  if (status === 404 || status === 401) {
    const near = nearestName(name, known);
    const meant = near === undefined ? "Check its spelling" : `Did you mean "${near}"? Check its spelling`;
    const token = hasToken ? "the account of your token must see it" : "set HF_TOKEN";
    return error(
      `${settings.endpoint} has no dataset ${name} (HTTP ${status})`,
      `${meant}. If it is private, ${token}.`,
    );
  }
  if (status === 429) {
    const after = headers.get("retry-after");
    const asks = /^\d+$/.test(after ?? "") ? ` for ${after} s` : "";
    return error(
      `${settings.endpoint}: rate limited (HTTP 429)`,
      hasToken ? `Wait${asks}, then try again.` : `Wait${asks}, then try again; with HF_TOKEN the limit is higher.`,
    );
  }
  return error(`${settings.endpoint} does not answer for the dataset ${name} (HTTP ${status})`, "Try again later.");
}
