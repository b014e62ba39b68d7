import {
  defineInputMode,
  type FileTriplet,
  type InputDefinition,
  type InputModeData,
  joinRelative,
  KagurazakaError,
  walkFiles,
} from "../../src/kit.js";
import { createJoiner, type FilesToJoin, Unmatched } from "../groups.js";
import { isRecord } from "../record.js";

/** The compiler knows the ids of a map that is written in the task. */
interface GroupsFactory {
  readonly definition: InputDefinition;
  <const M extends FilesToJoin>(fields: {
    readonly filesToJoin: M;
    readonly unmatched?: "warn" | "ignore" | "fail";
    readonly ignoreCase?: boolean;
    readonly hidden?: boolean;
  }): InputModeData<{ [Id in keyof M & string as `input_${Id}`]: FileTriplet }>;
}

/**
 * Several files an item: those of one directory with one stem, `cat.jpg` and `cat.txt`, each injected as `input_<id>`. An
 * item is complete when every id has its file; its key is `<rel_dir>/<stem>`, and its outputs are named by the stem. Two
 * files for one id make the item fail; files without partners are passed over and reported.
 */
// biome-ignore lint/suspicious/noExplicitAny: the type of the factory names the ids.
const mode: GroupsFactory = defineInputMode<any>()({
  name: "InputByGroups",
  help: "files of one directory and one stem, joined: an image and its caption",
  fields: {
    filesToJoin: {
      type: "json",
      required: true,
      placeholder: "ID: [EXT,…]",
      help: "id → endings, with their dot: {image: [.jpg, .png], caption: .txt} injects input_image and input_caption",
    },
    unmatched: {
      type: "string",
      choices: ["warn", "ignore", "fail"],
      default: "warn",
      help: "files whose partners are missing: warn, ignore, or fail once all groups are listed",
    },
    ignoreCase: { type: "boolean", default: false, help: "take .JPG for .jpg" },
    hidden: { type: "boolean", default: false, help: "also files and directories whose names begin with a dot" },
  },
  yields: "group",
  uniqueKeys: true,
  readsInputRoot: true,
  check: ({ filesToJoin }) => void parseFilesToJoin(filesToJoin),
  *list({ filesToJoin, unmatched, ignoreCase, hidden }, { root, walk, isOutput, warn }) {
    const joiner = createJoiner(parseFilesToJoin(filesToJoin), ignoreCase);
    const alone = new Unmatched();
    for (const { relDir, names } of walkFiles({ ...walk, hidden, match: joiner.match })) {
      const inputs = names.filter((name) => !isOutput(joinRelative(relDir, name)));
      yield joiner.join(inputs, { root, relDir, unmatched: alone }).map((group) => ({ input: group }));
    }
    if (alone.count === 0 || unmatched === "ignore") return;
    if (unmatched === "warn") return warn(`${alone.describe()}, passed over`);
    throw new KagurazakaError("generate-tasks", alone.describe(), {
      where: "input_mode.unmatched",
      hint: "The groups that are complete have run. Say unmatched: warn to pass over the others.",
    });
  },
});
export default mode;

function parseFilesToJoin(filesToJoin: unknown): FilesToJoin {
  if (!isRecord(filesToJoin)) throw wrong("is no mapping of ids to endings");
  const entries = Object.entries(filesToJoin);
  if (entries.length === 0) throw wrong("is empty");
  const owners = new Map<string, string>();
  for (const [id, written] of entries) {
    if (!/^[A-Za-z]\w*$/.test(id))
      throw wrong(`has the id "${id}", which is no word that input_${id} could be made of`);
    const exts: readonly unknown[] = Array.isArray(written) ? written : [written];
    if (exts.length === 0) throw wrong(`has no ending for ${id}`);
    for (const ext of exts) {
      if (typeof ext !== "string" || ext === "")
        throw wrong(`has an ending for ${id} that is no text: ${JSON.stringify(ext)}`);
      const owner = owners.get(ext);
      if (owner !== undefined)
        throw wrong(`has the ending "${ext}" ${owner === id ? "twice" : `for ${owner} and for ${id}`}`);
      owners.set(ext, id);
    }
  }
  return filesToJoin as FilesToJoin;
}

function wrong(why: string): KagurazakaError {
  return new KagurazakaError("bad-value", `files_to_join ${why}`, {
    where: "input_mode.files_to_join",
    hint: "For example {image: [.jpg, .png], caption: .txt}.",
  });
}
