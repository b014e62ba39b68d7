import { posix } from "node:path";
import { defineOutputMode, didYouMean, KagurazakaError, type OutputFile, type OutputNaming } from "../../src/kit.js";

const parts: Readonly<Record<string, (name: OutputNaming) => string>> = {
  key: ({ key }) => key,
  rel_dir: ({ relDir }) => relDir,
  file_name: ({ fileName }) => fileName,
  stem: ({ fileName, stem }) => stem ?? posix.basename(fileName, posix.extname(fileName)),
  ext: ({ fileName, stem }) => (stem === undefined ? posix.extname(fileName) : ""),
};

/**
 * One file named by a pattern of `{key}`, `{rel_dir}`, `{file_name}`, `{stem}` and `{ext}`, for records also of their fields.
 * With `ext`, `{ext}` is that one in place of the input's.
 */
export default defineOutputMode<{ output: OutputFile }>()({
  name: "OutputByTemplate",
  help: "one file named by a pattern",
  fields: {
    pattern: {
      type: "string",
      notEmpty: true,
      required: true,
      help: 'of {key}, {rel_dir}, {file_name}, {stem} and {ext} (with its dot): "{rel_dir}/{stem}.webp", "{key}.json"; of a record also {any_field}',
    },
    ext: {
      type: "string",
      nullable: true,
      default: null,
      help: "what {ext} stands for, with its dot; null: the input's own",
    },
  },
  accepts: "any",
  unique: false,
  outputs: ({ pattern, ext }, name) => {
    const relPath = pattern.replace(/\{(\w*)\}/g, (_, part: string) =>
      part === "ext" && typeof ext === "string" ? ext : partOf(part, name),
    );
    // `./x.webp`, where `{rel_dir}` is the root, would be a second spelling of `x.webp`. `..` stays and is refused later.
    return [{ field: "output", relPath: relPath.startsWith("./") ? relPath.slice(2) : relPath, type: "file" }];
  },
});

function partOf(name: string, naming: OutputNaming): string {
  if (Object.hasOwn(parts, name)) return parts[name]!(naming);
  const { record } = naming;
  if (record && Object.hasOwn(record, name) && /^(?:string|number|bigint)$/.test(typeof record[name]))
    return String(record[name]);
  const known = Object.keys(parts);
  throw new KagurazakaError(
    "bad-value",
    `output_mode.pattern has {${name}}, which is no part of a name.${didYouMean(name, known)}`,
    { hint: `Known parts: ${known.map((part) => `{${part}}`).join(", ")}.` },
  );
}
