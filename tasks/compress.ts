import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from "node:zlib";
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
  type OutputFile,
  PermanentError,
  type TaskContext,
} from "kagurazaka";

const options = defineOptions({
  level: { type: "integer", min: 0, max: 11, default: 6, help: "effort: gzip takes 0 to 9, brotli 0 to 11" },
});

/**
 * Every file compressed beside its name: `a.txt` → `a.txt.gz`. The output's extension is the format: brotli is
 * `--mixin output_mode.ext=.br`. Same bytes in, same bytes out: gzip headers carry neither name nor time.
 */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER, outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [""] }),
  outputMode: OutputByAppendingExt({ ext: ".gz" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export default class Compress extends KagurazakaTask<FileItem, typeof options> {
  static id = "compress";
  static help = "Every file compressed: a.txt → a.txt.gz, or .br: kagurazaka @compress --in files --out packed.";
  static options = options;

  async process({ input, output }: FileItem, { signal }: TaskContext) {
    const { compress } = formatOf(output);
    await pipeline(createReadStream(input.path), compress(this.options.level), createWriteStream(output.path), {
      signal,
    });
  }

  /** Unpacks the output before it is published: gzip and brotli check their sums, the size is checked here. */
  override async verify({ input, output }: FileItem, { signal }: TaskContext) {
    let unpacked = 0;
    const measure = new Writable({
      write(chunk: Buffer, _encoding, done) {
        unpacked += chunk.length;
        done();
      },
    });
    await pipeline(createReadStream(output.path), formatOf(output).decompress(), measure, { signal });
    const { size } = await stat(input.path);
    if (unpacked !== size)
      throw new Error(`unpacks to ${unpacked} bytes, the input has ${size}: was it changed meanwhile?`);
  }
}

const formats = {
  ".gz": { compress: (level: number) => createGzip({ level: Math.min(level, 9) }), decompress: () => createGunzip() },
  ".br": {
    compress: (level: number) => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: level } }),
    decompress: () => createBrotliDecompress(),
  },
};

function formatOf({ fileName }: OutputFile): (typeof formats)[keyof typeof formats] {
  const ext = extname(fileName);
  if (ext === ".gz" || ext === ".br") return formats[ext];
  throw new PermanentError(`cannot tell the format from "${ext}": output_mode.ext must end in .gz or .br`);
}
