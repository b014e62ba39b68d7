import {
  defineInputMode,
  type FileTriplet,
  type InputDefinition,
  type InputModeData,
  KagurazakaError,
  readLines,
} from "../../src/kit.js";
import { LIST_HELP, listFiles, listSource } from "../list-file.js";
import { PathItems } from "../path-items.js";

/** The compiler knows from `as` what is injected. */
interface LinesFactory {
  readonly definition: InputDefinition;
  <const As extends "path" | "text" = "path">(fields: {
    readonly linesPath: string;
    readonly as?: As;
    readonly keyField?: As extends "text" ? "line" | null : null;
    readonly nullSeparated?: boolean;
  }): InputModeData<As extends "text" ? { line: string } : { input: FileTriplet }>;
}

/**
 * One item a line: `find … | kagurazaka …`. As paths, lines name files, relative to the input root or absolute. The key of a
 * file is its path below the input root; for a file elsewhere, which only an absolute line can name, it is the absolute path
 * without the leading slash. A relative line that leads out of the root fails as that one item. As texts, lines are records
 * `{ line }`. Blank lines are passed over, and so, with a warning, are lines that name files in the output root.
 */
// biome-ignore lint/suspicious/noExplicitAny: the type of the factory names what it injects.
const mode: LinesFactory = defineInputMode<any>()({
  name: "InputByLines",
  help: "the lines of a file, or of standard input: paths of files, or texts",
  fields: {
    linesPath: { type: "string", notEmpty: true, required: true, help: `one item a line; ${LIST_HELP}` },
    as: {
      type: "string",
      choices: ["path", "text"],
      default: "path",
      help: "path: names of files, relative to the input root or absolute; text: records {line}",
    },
    keyField: {
      type: "string",
      choices: ["line"],
      nullable: true,
      default: null,
      help: "with as: text, line: a line is its own key and comes once; null: a hash of the line",
    },
    nullSeparated: { type: "boolean", default: false, help: "NUL in place of newlines, as find -print0 writes them" },
  },
  yields: ({ as }) => (as === "text" ? "record" : "file"),
  uniqueKeys: false,
  readsInputRoot: false,
  check({ as, keyField }) {
    if (as === "text" || keyField === null) return;
    throw new KagurazakaError("mixin", "files are named by their paths: a key_field goes with as: text only", {
      where: "input_mode.key_field",
      hint: "Leave it out, or say as: text.",
    });
  },
  files: ({ linesPath }) => listFiles(linesPath),
  keyField: ({ keyField }) => keyField ?? undefined,
  async *list({ linesPath, as, nullSeparated }, env) {
    const { signal, warn } = env;
    const lines = readLines(listSource(linesPath), { nullSeparated, signal, warn });
    if (as === "text") {
      for await (const some of lines) yield some.map((line) => ({ line }));
      return;
    }
    const paths = new PathItems(env);
    for await (const some of lines) yield paths.take(some);
    paths.end();
  },
});
export default mode;
