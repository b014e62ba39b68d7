import type { LeafNode } from "./nodes.js";

/** The levels of a value that is there. */
export const maxLevels = ({ ownDef, rep }: LeafNode): { def: number; rep: number } => ({ def: ownDef, rep });
