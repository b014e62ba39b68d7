import { copyFileSync } from "node:fs";
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

/** One output beside each input, finished when it is there. */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER, outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".out" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export class CopyFiles extends KagurazakaTask<FileItem> {
  process({ input, output }: FileItem) {
    copyFileSync(input.path, output.path);
  }
}
