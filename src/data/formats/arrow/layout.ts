import type { DataType, Field } from "apache-arrow";
import type { NumberArray } from "../../batch/batch.js";
import type { ArrowEngine } from "./engine.js";

/** How the values of a type lie in buffers (Arrow Columnar Format, "Physical Memory Layout"). */
export interface Layout {
  readonly kind: "null" | "bits" | "fixed" | "bytes" | "views" | "list" | "fixedList" | "struct";
  /** `fixed`: bytes of a value. `bytes`, `list`: of an offset. `fixedList`: items of a list. */
  readonly width: number;
  /** Of `fixed`: what its buffer is seen as. */
  readonly array: NumberArrayType;
  readonly children: readonly Layout[];
  /** Of the fields of `struct`. */
  readonly names: readonly string[];
  /** The values are indices into this dictionary. */
  readonly dictionary: { readonly id: number; readonly values: Layout } | undefined;
}

export interface NumberArrayType {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): NumberArray;
}

const integers: Readonly<Record<string, NumberArrayType>> = {
  8: Int8Array,
  16: Int16Array,
  32: Int32Array,
  64: BigInt64Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
};

const layout = (kind: Layout["kind"], width: number, more: Partial<Layout> = {}): Layout => ({
  kind,
  width,
  array: Uint8Array,
  children: [],
  names: [],
  dictionary: undefined,
  ...more,
});

const fixed = (array: NumberArrayType, width = array.BYTES_PER_ELEMENT): Layout => layout("fixed", width, { array });

/** @throws Error for a type that is not supported */
export function layoutOf(arrow: ArrowEngine, type: DataType): Layout {
  const { DataType, Type } = arrow;
  if (DataType.isDictionary(type))
    return {
      ...layoutOf(arrow, type.indices),
      dictionary: { id: type.id, values: layoutOf(arrow, type.dictionary) },
    };
  if (DataType.isInt(type)) return fixed(integers[`${type.isSigned ? "" : "u"}${type.bitWidth}`]!);
  if (DataType.isFloat(type)) return fixed([Uint16Array, Float32Array, Float64Array][type.precision]!);
  if (DataType.isDecimal(type)) return fixed(Uint32Array, type.bitWidth / 8);
  if (DataType.isDate(type)) return fixed(type.unit === 0 ? Int32Array : BigInt64Array);
  if (DataType.isTime(type)) return fixed(type.bitWidth === 32 ? Int32Array : BigInt64Array);
  if (DataType.isTimestamp(type) || DataType.isDuration(type)) return fixed(BigInt64Array);
  if (DataType.isFixedSizeBinary(type)) return fixed(Uint8Array, type.byteWidth);
  const children = (type.children ?? []).map((child: Field) => layoutOf(arrow, child.type));
  if (DataType.isFixedSizeList(type)) return layout("fixedList", type.listSize, { children });
  switch (type.typeId) {
    case Type.Null:
      return layout("null", 0);
    case Type.Bool:
      return layout("bits", 0);
    case Type.Utf8:
    case Type.Binary:
      return layout("bytes", 4);
    case Type.LargeUtf8:
    case Type.LargeBinary:
      return layout("bytes", 8);
    case Type.Utf8View:
    case Type.BinaryView:
      return layout("views", 16);
    case Type.List:
    case Type.Map:
      return layout("list", 4, { children });
    case Type.LargeList:
      return layout("list", 8, { children });
    case Type.Struct:
      return layout("struct", 0, { children, names: type.children.map((child: Field) => child.name) });
  }
  throw new Error(`the type ${String(type)} is not supported`);
}

/** The values of the dictionaries that a layout refers to, by id; of those inside of dictionaries too. */
export function dictionariesOf(layouts: readonly Layout[], found = new Map<number, Layout>()): Map<number, Layout> {
  for (const { dictionary, children } of layouts) {
    if (dictionary) {
      found.set(dictionary.id, dictionary.values);
      dictionariesOf([dictionary.values], found);
    }
    dictionariesOf(children, found);
  }
  return found;
}

/** The dictionaries that arrays of a layout refer to, without those inside of dictionaries. */
export const dictionaryIds = ({ dictionary, children }: Layout): number[] => [
  ...(dictionary ? [dictionary.id] : []),
  ...children.flatMap(dictionaryIds),
];
