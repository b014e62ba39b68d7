import { createCsv, dialectOptions, openCsv } from "./csv/format.js";
import { defineFormat } from "./format.js";

/** Comma-separated values (RFC 4180). Types are found in the first rows; an empty field is null, `""` the empty text. */
export default defineFormat({
  name: "csv",
  help: "comma-separated values",
  extensions: [".csv"],
  packs: true,
  codecs: [],
  options: dialectOptions(","),
  hasSchema: true,
  valuesNeedFeatures: true,
  recognises: (head) => /^[^\n{[]+,[^\n]*\n/.test(head.toString("utf8")),
  open: (request) => openCsv(request as never),
  create: (request) => createCsv(request as never),
});
