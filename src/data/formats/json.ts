import { jsonWriter } from "../features/json-text.js";
import { defineFormat, type Packing } from "./format.js";
import { JsonArrayReader } from "./json/reader.js";
import { openTextWriter } from "./text/text-writer.js";

/** One JSON array of objects, or an object with such an array in a field. */
export default defineFormat({
  name: "json",
  help: "an array of JSON objects",
  extensions: [".json"],
  packs: true,
  codecs: [],
  options: {
    field: {
      type: "string",
      help: "the field that has the array, where the file is an object (default: the first that is an array)",
    },
  },
  hasSchema: false,
  recognises: (head) => /^\ufeff?\s*\[\s*(?:\{|\]\s*$)/.test(head.toString("utf8")),
  open: async ({ file, packing, features, options }) =>
    new JsonArrayReader({ file, packing, features, formatName: "JSON" }, options.field),
  create: ({ path, compression, features }) => {
    const toText = jsonWriter(features);
    const textOf = (row: object, index: number): string => `${index === 0 ? "" : ",\n"}${toText(row)}`;
    return openTextWriter({ path, packing: compression as Packing, head: "[\n", tail: "\n]\n", textOf });
  },
});
