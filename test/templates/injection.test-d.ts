/** Checked by `tsc -p tsconfig.json`, not run: each `@ts-expect-error` is a mistake that must stay one. */
import {
  defineOptions,
  type FileItem,
  type FileTriplet,
  FinishCheckByOutputFileExistence,
  InputByExts,
  InputByGlob,
  InputByGroups,
  InputByLines,
  InputFromCsv,
  InputFromWhateverJsonl,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByApendingExt,
  OutputByFilenameSubfoldering,
  OutputByTemplate,
  type OutputFile,
  SoftShard,
  type TaskContext,
} from "../../src/index.js";

const hardShardMode = NoHardShard({
  inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER,
  outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER,
});
const inputMode = InputByExts({ exts: [".txt"] });
const outputMode = OutputByApendingExt({ ext: ".json" });
const fileToFile = moemoecueNormal({
  hardShardMode,
  inputMode,
  outputMode,
  finishCheckMode: FinishCheckByOutputFileExistence(),
});
const fileOnly = moemoecueNormal({ hardShardMode, inputMode });
const records = moemoecueNormal({ hardShardMode, inputMode: InputFromWhateverJsonl({ jsonlPath: "x.jsonl" }) });

@fileToFile
export class Fits extends KagurazakaTask<FileItem> {
  process({ input, output }: FileItem) {
    return [input.path, output.finalPath];
  }
}

@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "in" }),
  softShard: SoftShard({ shardIdx: [0, 1], shardNum: 4, subshard: SoftShard({ shardIdx: 0, shardNum: 2 }) }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: null,
})
export class AsksLess extends KagurazakaTask<{ input: FileTriplet }> {
  process({ input }: { input: FileTriplet }, ctx: TaskContext) {
    ctx.log.info(input.fileName);
  }
}

@fileOnly
export class AsksForNothing extends KagurazakaTask {
  process() {}
}

// @ts-expect-error No output mode: `output` is not injected.
@fileOnly
export class AsksForOutput extends KagurazakaTask<FileItem> {
  process({ output }: FileItem) {
    return output;
  }
}

// @ts-expect-error One output, not a folder of them.
@fileToFile
export class AsksForSubOutput extends KagurazakaTask<FileItem & { output_text: OutputFile }> {
  process({ output_text }: FileItem & { output_text: OutputFile }) {
    return output_text;
  }
}

// @ts-expect-error `input` is a FileTriplet.
@fileOnly
export class WrongType extends KagurazakaTask<{ input: string }> {
  process({ input }: { input: string }) {
    return input;
  }
}

// @ts-expect-error `isExecuted` gets the same fields as `process`.
@fileOnly
export class AsksInIsExecuted extends KagurazakaTask<{ input: FileTriplet }> {
  process({ input }: { input: FileTriplet }) {
    return input;
  }
  override isExecuted({ output }: FileItem) {
    return output.path === "";
  }
}

@fileOnly
export class MayDoWithout extends KagurazakaTask<{ input: FileTriplet; output?: OutputFile }> {
  process({ output }: { input: FileTriplet; output?: OutputFile }) {
    return output;
  }
}

@records
export class Records extends KagurazakaTask<{ id: number; text: string }> {
  process({ text }: { id: number; text: string }) {
    return text;
  }
}

// @ts-expect-error A record's fields are its own affair, but `output` comes from an output mode.
@records
export class RecordsWithOutput extends KagurazakaTask<{ id: number; output: OutputFile }> {
  process({ output }: { id: number; output: OutputFile }) {
    return output;
  }
}

// @ts-expect-error Records have no `input`.
@records
export class RecordsWithInput extends KagurazakaTask<{ input: FileTriplet }> {
  process({ input }: { input: FileTriplet }) {
    return input;
  }
}

@moemoecueNormal({ hardShardMode, outputMode: OutputByTemplate({ pattern: "{key}.json" }) })
export class OwnItems extends KagurazakaTask<{ i: number; output: OutputFile }> {
  override *generateTasks() {
    yield { i: 1 };
  }
  process({ i, output }: { i: number; output: OutputFile }) {
    return [i, output];
  }
}

const folder = OutputByFilenameSubfoldering({ fileToWrite: { raw_text: "raw.txt", meta: "meta.json" } });
type FolderItem = { input: FileTriplet; output: OutputFile; output_raw_text: OutputFile; output_meta: OutputFile };

@moemoecueNormal({ hardShardMode, inputMode, outputMode: folder })
export class Folder extends KagurazakaTask<FolderItem> {
  process({ output_meta, output_raw_text }: FolderItem) {
    return [output_meta, output_raw_text];
  }
}

// @ts-expect-error No such id in `fileToWrite`.
@moemoecueNormal({ hardShardMode, inputMode, outputMode: folder })
export class FolderMisspelt extends KagurazakaTask<{ output_metadata: OutputFile }> {
  process({ output_metadata }: { output_metadata: OutputFile }) {
    return output_metadata;
  }
}

@moemoecueNormal({
  hardShardMode,
  inputMode,
  outputMode: OutputByFilenameSubfoldering({ fileToWrite: KAGURAZAKA_MIXIN_PLACEHOLDER }),
})
export class FolderFromConfiguration extends KagurazakaTask<FolderItem> {
  process({ output_meta }: FolderItem) {
    return output_meta;
  }
}

@moemoecueNormal({ hardShardMode, inputMode: KAGURAZAKA_MIXIN_PLACEHOLDER, outputMode })
export class ModeFromConfiguration extends KagurazakaTask<FileItem> {
  process({ input, output }: FileItem) {
    return [input, output];
  }
}

declare const either: boolean;
@moemoecueNormal({ hardShardMode, inputMode: either ? inputMode : InputByGlob({ globPattern: "**" }), outputMode })
export class EitherMode extends KagurazakaTask<FileItem> {
  process({ input, output }: FileItem) {
    return [input, output];
  }
}

@moemoecueNormal({ hardShardMode, inputMode: InputByLines({ linesPath: "-" }), outputMode })
export class LinesAsPaths extends KagurazakaTask<FileItem> {
  process({ input, output }: FileItem) {
    return [input.path, output.path];
  }
}

@moemoecueNormal({ hardShardMode, inputMode: InputByLines({ linesPath: "-", as: "text", keyField: "line" }) })
export class LinesAsTexts extends KagurazakaTask<{ line: string }> {
  process({ line }: { line: string }) {
    return line.length;
  }
}

// @ts-expect-error Texts are injected as `line`.
@moemoecueNormal({ hardShardMode, inputMode: InputByLines({ linesPath: "-", as: "text" }) })
export class TextsWithInput extends KagurazakaTask<{ input: FileTriplet }> {
  process({ input }: { input: FileTriplet }) {
    return input;
  }
}

// @ts-expect-error Without `as`, lines are paths.
@moemoecueNormal({ hardShardMode, inputMode: InputByLines({ linesPath: "-" }) })
export class PathsWithLine extends KagurazakaTask<{ line: string }> {
  process({ line }: { line: string }) {
    return line;
  }
}

@moemoecueNormal({ hardShardMode, inputMode: InputByLines({ linesPath: "-", as: KAGURAZAKA_MIXIN_PLACEHOLDER }) })
export class LinesFromConfiguration extends KagurazakaTask<{ line: string }> {
  process({ line }: { line: string }) {
    return line;
  }
}

@moemoecueNormal({ hardShardMode, inputMode: InputFromCsv({ csvPath: "x.csv", keyField: "id" }) })
export class Columns extends KagurazakaTask<{ id: string; text: string }> {
  process({ id, text }: { id: string; text: string }) {
    return id + text;
  }
}

// @ts-expect-error Values of a table are texts.
@moemoecueNormal({ hardShardMode, inputMode: InputFromCsv({ csvPath: "x.csv" }) })
export class ColumnsAsNumbers extends KagurazakaTask<{ id: number }> {
  process({ id }: { id: number }) {
    return id;
  }
}

// @ts-expect-error Which columns there are is known here.
@moemoecueNormal({ hardShardMode, inputMode: InputFromCsv({ csvPath: "x.csv", header: ["id", "text"] }) })
export class ColumnMisspelt extends KagurazakaTask<{ txt: string }> {
  process({ txt }: { txt: string }) {
    return txt;
  }
}

// @ts-expect-error Not one of the columns.
InputFromCsv({ csvPath: "x.csv", header: ["id", "text"], keyField: "key" });
const pairs = InputByGroups({ filesToJoin: { image: [".jpg", ".png"], caption: ".txt" } });

@moemoecueNormal({ hardShardMode, inputMode: pairs, outputMode })
export class Pairs extends KagurazakaTask<{
  input_image: FileTriplet;
  input_caption: FileTriplet;
  output: OutputFile;
}> {
  process({
    input_image,
    input_caption,
    output,
  }: {
    input_image: FileTriplet;
    input_caption: FileTriplet;
    output: OutputFile;
  }) {
    return [input_image.path, input_caption.path, output.path];
  }
}

// @ts-expect-error A group has no `input`.
@moemoecueNormal({ hardShardMode, inputMode: pairs })
export class PairsWithInput extends KagurazakaTask<{ input: FileTriplet }> {
  process({ input }: { input: FileTriplet }) {
    return input;
  }
}

// @ts-expect-error No such id.
@moemoecueNormal({ hardShardMode, inputMode: pairs })
export class PairMisspelt extends KagurazakaTask<{ input_picture: FileTriplet }> {
  process({ input_picture }: { input_picture: FileTriplet }) {
    return input_picture;
  }
}

// @ts-expect-error Paths have no key of their own choosing.
InputByLines({ linesPath: "-", keyField: "line" });
// @ts-expect-error An output mode in the input's place.
moemoecueNormal({ hardShardMode, inputMode: outputMode });
// @ts-expect-error No such field.
moemoecueNormal({ hardShardMode, inputmode: inputMode });
// @ts-expect-error `exts` must be said.
InputByExts();
// @ts-expect-error Not a field of the mode.
InputByExts({ exts: [".txt"], extensions: [] });
// @ts-expect-error The hard shard must be said.
moemoecueNormal({ inputMode });

const options = defineOptions({
  language: { type: "string", default: "en", choices: ["en", "ja"] },
  limit: { type: "integer" },
  sizes: { type: "integers", required: true },
});

export class WithOptions extends KagurazakaTask<{ i: number }, typeof options> {
  static options = options;
  process() {
    const language: "en" | "ja" = this.options.language;
    // @ts-expect-error It may not have been said.
    const limit: number = this.options.limit;
    const sizes: number | readonly number[] = this.options.sizes;
    // @ts-expect-error Not declared.
    return [language, limit, sizes, this.options.lang];
  }
}
