import {
  defineOutputMode,
  joinRelative,
  type OutputDefinition,
  type OutputEntry,
  type OutputFile,
  type OutputModeData,
} from "../../src/kit.js";

/** `output` and one `output_<id>` per id of `fileToWrite`. */
type SubfolderOutputs<M extends Readonly<Record<string, string>>> = { output: OutputFile } & {
  [K in keyof M & string as `output_${K}`]: OutputFile;
};

/** The compiler knows the ids of a map that is written in the task. */
interface SubfolderFactory {
  readonly definition: OutputDefinition;
  <const M extends Readonly<Record<string, string>>>(fields: {
    readonly fileToWrite: M;
  }): OutputModeData<SubfolderOutputs<M>>;
}

/** A directory per input, `<rel_dir>/<file_name>/`, with the files of `fileToWrite` in it; each is injected as `output_<id>`. */
const mode: SubfolderFactory = defineOutputMode<{ output: OutputFile }>()({
  name: "OutputByFilenameSubfoldering",
  help: "a directory per input, with named files in it",
  fields: {
    fileToWrite: { type: "map", required: true, help: "id → file name: {text: text.txt} is injected as output_text" },
  },
  accepts: "file",
  unique: true,
  outputs: ({ fileToWrite }, { relDir, fileName }) => {
    const directory = joinRelative(relDir, fileName);
    const files = Object.entries(fileToWrite).map(
      ([id, name]): OutputEntry => ({ field: `output_${id}`, relPath: `${directory}/${name}`, type: "file" }),
    );
    return [{ field: "output", relPath: directory, type: "directory" }, ...files];
  },
});
export default mode;
