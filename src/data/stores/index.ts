import { fileURLToPath } from "node:url";
import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { openLocalFile } from "./local-file.js";
import { nameOfUrl } from "./request.js";
import { type DataFile, definedStores, type Store } from "./store.js";

export { defineStore } from "./store.js";

/** Schemes that are served without anybody's doing; loaded when first used. */
const builtins: Readonly<Record<string, () => Promise<{ default: Store }>>> = {
  https: () => import("./http.js"),
  http: () => import("./http.js"),
};

/** Schemes that only a package can serve. */
const others: Readonly<Record<string, string>> = {
  s3: "@aws-sdk/client-s3",
  gs: "@google-cloud/storage",
  gcs: "@google-cloud/storage",
  az: "@azure/storage-blob",
  abfs: "@azure/storage-blob",
  abfss: "@azure/storage-blob",
  oss: "ali-oss",
  ftp: "basic-ftp",
  sftp: "ssh2-sftp-client",
  hdfs: "webhdfs",
};

/** The scheme of a URL in lower case; undefined for a path. */
export const schemeOf = (pathOrUrl: string): string | undefined =>
  /^([a-z][a-z0-9+.-]*):\/\//i.exec(pathOrUrl)?.[1]?.toLowerCase();

/**
 * Opens a file of any store: a path, or a URL.
 * @throws KagurazakaError `source` for what cannot be opened, `bad-value` for a scheme that nothing serves
 */
export async function openFile(pathOrUrl: string): Promise<DataFile> {
  const scheme = schemeOf(pathOrUrl);
  if (scheme === undefined) return openLocalFile(pathOrUrl);
  if (scheme === "file") return openLocalFile(pathOfUrl(pathOrUrl));
  return (await storeOf(scheme, pathOrUrl)).open(pathOrUrl);
}

/** @throws KagurazakaError `bad-value` for a scheme that nothing serves; `url` is for the message */
async function storeOf(scheme: string, url: string): Promise<Store> {
  const defined = definedStores().get(scheme);
  if (defined) return defined;
  return Object.hasOwn(builtins, scheme) ? (await builtins[scheme]!()).default : unknownScheme(scheme, url);
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new KagurazakaError("source", `${url} is not the URL of a local file: ${(cause as Error).message}`, {
      where: url,
      hint: "Write file:///path, with three slashes, or the path itself.",
    });
  }
}

function unknownScheme(scheme: string, url: string): never {
  const where = nameOfUrl(url);
  if (scheme === "hf")
    throw new KagurazakaError("bad-value", `${where} names a dataset of the hub, not a file`, {
      where,
      hint: "Open it as a source; a single file has an https:// URL on the hub.",
    });
  const make = `a module of yours that your task imports calls defineStore({ schemes: ["${scheme}"], open }) of kagurazaka/data`;
  if (Object.hasOwn(others, scheme))
    throw new KagurazakaError("bad-value", `${where}: ${scheme}:// is not built in`, {
      where,
      hint: `Install ${others[scheme]}; ${make}. Or give an https:// URL that is signed.`,
    });
  const known = new Set(["file", "hf", ...Object.keys(builtins), ...definedStores().keys(), ...Object.keys(others)]);
  throw new KagurazakaError("bad-value", `${where}: no store serves ${scheme}://.${didYouMean(scheme, known)}`, {
    where,
    hint: `For a scheme of your own, ${make}.`,
  });
}
