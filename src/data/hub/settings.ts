import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Patience } from "../stores/request.js";

/** What the environment says of the hub, as for Python's `huggingface_hub`. */
export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** The folder of all downloads. */
  readonly cache: string;
  readonly isOffline: boolean;
  /** `Bearer …`: for the endpoint alone, and for no message. */
  readonly authorization: string | undefined;
  readonly patience?: Patience | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export function hubSettings(env: Environment = process.env, patience?: Patience): HubSettings {
  const home = pathOf(env.HF_HOME) ?? join(pathOf(env.XDG_CACHE_HOME) ?? join(homedir(), ".cache"), "huggingface");
  const token =
    clean(env.HF_TOKEN) ??
    clean(env.HUGGING_FACE_HUB_TOKEN) ??
    readToken(pathOf(env.HF_TOKEN_PATH) ?? join(home, "token"));
  return {
    endpoint: (clean(env.HF_ENDPOINT) ?? "https://huggingface.co").replace(/\/+$/, ""),
    cache: pathOf(env.HF_HUB_CACHE) ?? pathOf(env.HUGGINGFACE_HUB_CACHE) ?? join(home, "hub"),
    isOffline: isTrue(env.HF_HUB_OFFLINE) || isTrue(env.HF_DATASETS_OFFLINE),
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    patience,
  };
}

const isTrue = (value: string | undefined): boolean => /^(?:1|on|yes|true)$/i.test(value ?? "");

/** A line end that came along from a file would break the header, and the error would show the token. */
const clean = (value: string | undefined): string | undefined => value?.replace(/[\r\n]/g, "").trim() || undefined;

const pathOf = (value: string | undefined): string | undefined => clean(value)?.replace(/^~(?=\/|$)/, homedir());

function readToken(path: string): string | undefined {
  try {
    return clean(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
