import { own } from "../../base/own.js";
import { dtypeParts } from "./dtypes.js";
import { type Feature, isA, isList, isStruct, Nullable, type Struct, splitNullable } from "./feature.js";

/**
 * The features of a file's storage, with labels and JSON where Hugging Face's metadata say so and the storage can hold them. What
 * the metadata say otherwise does not count.
 */
export function labelled(storage: Struct, said: Struct): Struct {
  return Object.fromEntries(
    Object.entries(storage).map(([name, feature]) => {
      const meant = own(said, name);
      return [name, meant ? both(feature, meant) : feature];
    }),
  );
}

function both(storage: Feature, said: Feature): Feature {
  const { core, nullable } = splitNullable(storage);
  const other = splitNullable(said).core;
  const merged = bothCores(core, other);
  return nullable ? Nullable(merged) : merged;
}

function bothCores(core: Feature, said: Feature): Feature {
  if (isA(said, "ClassLabel")) return isA(core, "Value") && dtypeParts(core.dtype).kind === "int" ? said : core;
  if (isA(said, "Json")) return isA(core, "Value") && dtypeParts(core.dtype).kind === "string" ? said : core;
  if (isList(core) && isList(said)) return { ...core, feature: both(core.feature, said.feature) };
  return isStruct(core) && isStruct(said) ? labelled(core, said) : core;
}
