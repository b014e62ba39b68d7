import { resolve } from "node:path";
import { defineHardShardMode } from "../../src/kit.js";

/** One pair of directories, as given; relative ones are relative to the working directory. */
export default defineHardShardMode({
  name: "NoHardShard",
  help: "one input directory, one output directory",
  fields: {
    inputPath: { type: "string", notEmpty: true, required: true, help: "directory the inputs lie in" },
    outputPath: {
      type: "string",
      notEmpty: true,
      nullable: true,
      default: null,
      help: "directory the outputs go to; null: no files are written",
    },
  },
  roots: ({ inputPath, outputPath }) => [
    { inputPath: resolve(inputPath), outputPath: outputPath === null ? null : resolve(outputPath) },
  ],
});
