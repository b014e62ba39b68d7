import { readFile, writeFile } from "node:fs/promises";
import {
  type FileItem,
  FinishCheckByOutputFileExistence,
  InputByExts,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByAppendingExt,
} from "kagurazaka";

/** Counts the words of each text file. Nothing in it knows of a fleet. */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER, outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".json" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export class CountWords extends KagurazakaTask<FileItem> {
  async process({ input, output }: FileItem) {
    const words = (await readFile(input.path, "utf8")).split(/\s+/).filter((word) => word !== "");
    await writeFile(output.path, JSON.stringify({ words: words.length }));
  }
}
