import { createCsv, dialectOptions, openCsv } from "./csv/format.js";
import { defineFormat } from "./format.js";

/** As `csv`, with tabs. */
export default defineFormat({
  name: "tsv",
  help: "tab-separated values",
  extensions: [".tsv", ".tab"],
  packs: true,
  codecs: [],
  options: dialectOptions("\t"),
  hasSchema: true,
  valuesNeedFeatures: true,
  recognises: (head) => /^[^\n]*\t[^\n]*\n/.test(head.toString("utf8")),
  open: (request) => openCsv(request as never),
  create: (request) => createCsv(request as never),
});
