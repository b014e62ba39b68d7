import { readFileSync, writeFileSync } from "node:fs";
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

const text = [".txt", ".md", ".markdown", ".rst", ".csv", ".html", ".css", ".json", ".yml", ".yaml"];
const code = [".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"];

/** Counts like `wc`: for each text file a JSON file with its newlines, words, characters (code points) and bytes. */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER, outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [...text, ...code], ignoreCase: true }),
  outputMode: OutputByAppendingExt({ ext: ".json" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export default class WordCount extends KagurazakaTask<FileItem> {
  static id = "word-count";
  static help =
    "Lines, words, characters and bytes of every text file, as JSON: kagurazaka @word-count --in texts --out counts.";

  process({ input, output }: FileItem) {
    const bytes = readFileSync(input.path);
    const counts = { ...count(bytes.toString("utf8")), bytes: bytes.length };
    writeFileSync(output.path, `${JSON.stringify(counts)}\n`);
    return counts;
  }
}

/** Unicode's White_Space: the characters between words. */
const blanks = new Set(
  [
    ..."\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000",
  ].map((character) => character.charCodeAt(0)),
);

function count(text: string): { lines: number; words: number; characters: number } {
  let lines = 0;
  let words = 0;
  let characters = 0;
  let inWord = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Most characters are ASCII letters, which need no look-up.
    const blank = (unit <= 32 || unit > 127) && blanks.has(unit);
    if (!blank && !inWord) words++;
    inWord = !blank;
    if (unit === 10) lines++;
    // The second half of a surrogate pair belongs to the character before.
    if (unit < 0xdc00 || unit > 0xdfff) characters++;
  }
  return { lines, words, characters };
}
