import { defineFinishCheck } from "../../src/kit.js";

/** An item is finished when the ledger has it as done, whether its output is still there or not. */
export default defineFinishCheck({
  name: "FinishCheckByLedger",
  help: "finished when it was recorded as done, whatever became of its output",
  fields: {},
  rule: () => ({ by: "ledger" }),
});
