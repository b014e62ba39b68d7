import async from "./async.mjs";
import cpu from "./cpu.mjs";
import durable from "./durable.mjs";
import later from "./later.mjs";
import ledger from "./ledger.mjs";
import memory from "./memory.mjs";
import noOp from "./no-op.mjs";
import publication from "./publication.mjs";
import skip from "./skip.mjs";
import start from "./start.mjs";

/** In the order of DESIGN §9. */
export const rows = [noOp, async, cpu, start, skip, ledger, memory, publication, durable, later];
