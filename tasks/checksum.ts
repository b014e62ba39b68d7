import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import {
  defineOptions,
  type FileItem,
  FinishCheckByOutputFileExistence,
  InputByExts,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByAppendingExt,
  type TaskContext,
} from "kagurazaka";

const options = defineOptions({
  algorithm: {
    type: "string",
    choices: ["sha256", "sha512", "sha1", "md5"],
    default: "sha256",
    help: "digest to compute",
  },
});

/**
 * The digest of every file, as a line of `sha256sum` with the path from the input root. To verify a whole tree:
 * `find out -name '*.checksum' -exec cat {} + | (cd in && sha256sum -c)`.
 */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER, outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [""] }),
  outputMode: OutputByAppendingExt({ ext: ".checksum" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export default class Checksum extends KagurazakaTask<FileItem, typeof options> {
  static id = "checksum";
  static help = "The digest of every file, as sha256sum writes it: kagurazaka @checksum --in files --out sums.";
  static options = options;

  async process({ input, output }: FileItem, { signal }: TaskContext) {
    const hash = createHash(this.options.algorithm);
    await pipeline(createReadStream(input.path), hash, { signal });
    const digest = hash.digest("hex");
    const path = input.relDir === "." ? input.fileName : `${input.relDir}/${input.fileName}`;
    await writeFile(output.path, checksumLine(digest, path));
    return digest;
  }
}

/** GNU coreutils marks a line whose path needed escaping with a backslash in front. */
function checksumLine(digest: string, path: string): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === path ? "" : "\\"}${digest}  ${escaped}\n`;
}
