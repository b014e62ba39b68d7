import async from "./async.mjs";
import cpu from "./cpu.mjs";
import csv from "./csv.mjs";
import durable from "./durable.mjs";
import exec from "./exec.mjs";
import fleet from "./fleet.mjs";
import gzip from "./gzip.mjs";
import later from "./later.mjs";
import ledger from "./ledger.mjs";
import lines from "./lines.mjs";
import map from "./map.mjs";
import mapCsv from "./map-csv.mjs";
import mapMemory from "./map-memory.mjs";
import memory from "./memory.mjs";
import noOp from "./no-op.mjs";
import parquet from "./parquet.mjs";
import parts from "./parts.mjs";
import patience from "./patience.mjs";
import publication from "./publication.mjs";
import skip from "./skip.mjs";
import start from "./start.mjs";

/** In the order of DESIGN §9, then what else is promised. */
export const rows = [
  noOp,
  async,
  patience,
  cpu,
  gzip,
  start,
  skip,
  ledger,
  memory,
  publication,
  durable,
  lines,
  csv,
  map,
  mapCsv,
  parquet,
  parts,
  mapMemory,
  exec,
  fleet,
  later,
];
