type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `class_label` → `ClassLabel`, `array2_d` → `Array2D`. */
const typeNamed = (snake: string): string =>
  snake.replace(/(?:^|_)([a-z0-9])/g, (_, first: string) => first.toUpperCase());

/**
 * Features as a card has them, in the JSON form: `Features._from_yaml_list` of Python's `datasets`, whose rule is that the first key
 * of an entry, but for `name`, says what it is.
 * @throws RangeError for what is no feature
 */
export function featuresOfCard(yaml: unknown): Record<string, unknown> {
  if (Array.isArray(yaml)) return readColumns(yaml);
  // Cards of old have the JSON form itself.
  if (isFields(yaml)) return yaml;
  throw new RangeError(`${JSON.stringify(yaml)} is not a list of columns`);
}

function readColumns(list: readonly unknown[]): Record<string, unknown> {
  const columns = new Map<string, unknown>();
  for (const column of list) {
    if (!isFields(column) || column.name === undefined)
      throw new RangeError(`${JSON.stringify(column)} is not a column with a name`);
    const { name, ...rest } = column;
    if (name === "__proto__") throw new RangeError('no column can be named "__proto__"');
    columns.set(String(name), readFeature(rest));
  }
  return Object.fromEntries(columns);
}

function readFeature(yaml: unknown): unknown {
  if (Array.isArray(yaml)) return readColumns(yaml);
  if (typeof yaml === "string") return readFeature({ dtype: yaml });
  if (!isFields(yaml)) throw new RangeError(`${JSON.stringify(yaml)} is not a feature`);
  const [type] = Object.keys(yaml);
  if (type === undefined) return {};
  const { [type]: inner, ...rest } = yaml;
  switch (type) {
    case "sequence":
      // A sequence of columns is stored as columns of lists.
      if (Array.isArray(inner))
        return Object.fromEntries(
          Object.entries(readColumns(inner)).map(([name, feature]) => [name, { feature, ...rest, _type: "List" }]),
        );
      return { feature: readFeature(inner), ...rest, _type: "List" };
    case "list":
      return { feature: readFeature(inner), ...rest, _type: "List" };
    case "large_list":
      return { feature: readFeature(inner), ...rest, _type: "LargeList" };
    case "struct":
      return readFeature(inner);
    case "dtype":
      return typeof inner === "string" ? readDtype(inner, rest) : readFeature(inner);
  }
  return { _type: typeNamed(type), ...(isFields(inner) ? (type === "class_label" ? readLabels(inner) : inner) : {}) };
}

const TYPES: ReadonlySet<string> = new Set(["image", "audio", "video", "pdf", "json", "nifti", "mesh"]);

const readDtype = (dtype: string, rest: Fields): Fields =>
  TYPES.has(dtype) ? { _type: typeNamed(dtype) } : { dtype, ...rest, _type: "Value" };

/** Names may be by number, as text or not. */
function readLabels(label: Fields): Fields {
  if (!isFields(label.names)) return label;
  const byNumber = Object.entries(label.names).sort(([a], [b]) => Number(a) - Number(b));
  const missing = byNumber.findIndex(([id], i) => Number(id) !== i);
  if (missing >= 0) throw new RangeError(`a class_label has no name for ${missing}`);
  return { ...label, names: byNumber.map(([, name]) => name) };
}
