import type { FlatTable } from "./flatbuffer.js";

/** Types by their number in Schema.fbs, as pyarrow calls those that are not supported. */
const kinds: Readonly<Record<number, string>> = {
  1: "null",
  2: "int",
  3: "float",
  4: "binary",
  5: "string",
  6: "bool",
  7: "decimal",
  8: "date",
  9: "time",
  10: "timestamp",
  11: "interval",
  12: "list",
  13: "struct",
  14: "union",
  15: "fixed_size_binary",
  16: "fixed_size_list",
  17: "map",
  18: "duration",
  19: "large_binary",
  20: "large_string",
  21: "large_list",
  22: "run_end_encoded",
  23: "binary_view",
  24: "string_view",
  25: "list_view",
  26: "large_list_view",
};

const MAX_DEPTH = 64;
const MAX_FIELDS = 1 << 20;

/** What the library's own reader of schemas takes as it is. @throws Error for damage, and types that are not supported */
export function checkSchema(schema: FlatTable): void {
  if (schema.short(0) !== 0)
    throw new Error("its numbers are big-endian, which is not supported; pyarrow can read it, and write it again");
  checkMetadata(schema, 2);
  const budget = { fields: MAX_FIELDS };
  checkFields(schema.tables(1), [], budget);
}

function checkFields(fields: readonly FlatTable[], path: readonly string[], budget: { fields: number }): void {
  const names = new Set<string>();
  for (const field of fields) {
    const name = field.text(0) ?? "";
    const here = [...path, name];
    if (budget.fields-- === 0 || here.length > MAX_DEPTH) throw new Error("its schema is damaged");
    checkField(field, here, budget);
    if (names.has(name)) throw new Error(`two columns are called ${here.join(".")}`);
    if (name === "__proto__") throw new Error('no column can be named "__proto__", nor can a field of one');
    names.add(name);
  }
}

function checkField(field: FlatTable, path: readonly string[], budget: { fields: number }): void {
  const kind = kinds[field.byte(2)];
  const type = field.table(3);
  const children = field.tables(5);
  if (kind === undefined || !type) throw new Error(`column ${path.join(".")} has a type that is not known`);
  const name = unsupported(kind, type);
  if (name) throw new Error(`column ${path.join(".")} has the type ${name}, which is not supported`);
  if (!isWhole(kind, type, children) || !isIndexed(field.table(4)))
    throw new Error(`column ${path.join(".")} has a damaged type`);
  checkMetadata(field, 6);
  checkFields(children, path, budget);
}

function unsupported(kind: string, type: FlatTable): string | undefined {
  if (kind === "interval")
    return ["month_interval", "day_time_interval", "month_day_nano_interval"][type.short(0)] ?? kind;
  if (kind === "union") return type.short(0) === 0 ? "sparse_union" : "dense_union";
  return kind.endsWith("list_view") || kind === "run_end_encoded" ? kind : undefined;
}

/** Whether the type has what it needs. */
function isWhole(kind: string, type: FlatTable, children: readonly FlatTable[]): boolean {
  const among = (value: number, ...allowed: number[]): boolean => allowed.includes(value);
  switch (kind) {
    case "int":
      return among(type.int(0), 8, 16, 32, 64);
    case "float":
      return among(type.short(0), 0, 1, 2);
    case "decimal":
      return among(type.int(2, 128), 32, 64, 128, 256);
    case "date":
      return among(type.short(0, 1), 0, 1);
    case "time":
      return among(type.short(0, 1), 0, 1, 2, 3) && type.int(1, 32) === (type.short(0, 1) < 2 ? 32 : 64);
    case "timestamp":
      type.text(1);
      return among(type.short(0), 0, 1, 2, 3);
    case "duration":
      return among(type.short(0, 1), 0, 1, 2, 3);
    case "fixed_size_binary":
      return type.int(0) >= 0;
    case "list":
    case "large_list":
      return children.length === 1;
    case "fixed_size_list":
      return children.length === 1 && type.int(0) >= 0;
    case "map":
      return children.length === 1 && children[0]!.tables(5).length === 2;
  }
  return true;
}

function isIndexed(dictionary: FlatTable | undefined): boolean {
  const indices = dictionary?.table(1);
  dictionary?.long(0);
  return !indices || isWhole("int", indices, []);
}

/** Keys and values: reading them checks that they are there. */
function checkMetadata(table: FlatTable, slot: number): void {
  for (const entry of table.tables(slot)) {
    entry.text(0);
    entry.text(1);
  }
}
