/** The fields of an object. The last one at each depth is cached: the records of a list mostly have the same fields. */
interface Shape {
  /** In the order of the object. */
  readonly keys: readonly string[];
  /** `keys` are in canonical order. */
  readonly inOrder: boolean;
  readonly sorted: readonly string[];
  /** `"key":` per sorted key. */
  readonly heads: readonly string[];
  /** `{"key":` and `,"key":` as bytes; undefined where there are no keys, or not all are ASCII. */
  readonly asciiHeads: readonly Uint8Array[] | undefined;
}

const shapes: (Shape | undefined)[] = [];

export function shapeOf(object: object, depth: number): Shape {
  const known = shapes[depth];
  if (known !== undefined && hasShape(object, known)) return known;
  const shape = createShape(object);
  shapes[depth] = shape;
  return shape;
}

function createShape(object: object): Shape {
  const keys = Object.keys(object);
  const sorted = [...keys].sort();
  const heads = sorted.map((key) => JSON.stringify(key) + ":");
  const ascii = heads.length > 0 && heads.every((head) => /^[\x20-\x7e]{1,256}$/.test(head));
  return {
    keys,
    inOrder: sorted.every((key, i) => key === keys[i]),
    sorted,
    heads,
    asciiHeads: ascii ? heads.map((head, i) => Buffer.from((i === 0 ? "{" : ",") + head, "latin1")) : undefined,
  };
}

function hasShape(object: object, { keys }: Shape): boolean {
  let i = 0;
  for (const key in object) if (key !== keys[i++]) return false;
  return i === keys.length;
}

/** An object literal or a null-prototype object, of any realm. */
export function isPlainObject(object: object): boolean {
  const proto = Object.getPrototypeOf(object);
  if (proto === Object.prototype || proto === null) return true;
  // The Object.prototype of another realm (a vm context, a test runner).
  return Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, "isPrototypeOf");
}
