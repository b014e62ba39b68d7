import type { Row } from "kagurazaka/data";

/** What the peers do too. */
export const clean = (row: Row) => (row.text.length < 20 ? null : { ...row, text: row.text.trim() });
export const same = (row: Row) => row;
/** Little, so that reading is what takes memory and disk. */
export const measure = ({ id, text }: Row) => ({ id, length: text.length });
