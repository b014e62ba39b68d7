import { join } from "node:path";
import { listingSides, rateLine } from "../lib/listing.mjs";
import { makeScratch, removeScratch } from "../lib/process.mjs";
import { writeCsv } from "../lib/records.mjs";
import { interleave } from "../lib/statistics.mjs";

/** A CSV table: the cost of making records, beyond parsing. */
export default {
  name: "csv",
  title: "rows of a table listed",
  async measure({ short, runs }) {
    const items = short ? 50_000 : 500_000;
    const scratch = makeScratch();
    try {
      const [file, empty] = [join(scratch, "table.csv"), join(scratch, "empty.csv")];
      writeCsv(file, items);
      writeCsv(empty, 0);
      const { alone, mode, plan } = listingSides(items);
      const whole = (csvPath) => ({ use: "InputFromCsv", csvPath, keyField: "id" });
      const rates = await interleave(runs, {
        arrays: alone("csv-parse.mjs", file, "arrays"),
        manual: alone("csv-parse.mjs", file, "manual"),
        mode: mode("InputFromCsv", "csvPath", file),
        plan: plan(whole(file), whole(empty)),
      });
      const listed = "rows as records, listed by the mode";
      const manual = "csv-parse as its manual shows it (for await, columns)";
      return [
        rateLine(items, listed, rates.mode, "csv-parse at its fastest (arrays)", rates.arrays, { atLeast: 0.9 }),
        rateLine(items, listed, rates.mode, manual, rates.manual),
        rateLine(items, "rows, named and planned (--dry-run)", rates.plan, manual, rates.manual),
      ];
    } finally {
      removeScratch(scratch);
    }
  },
};
