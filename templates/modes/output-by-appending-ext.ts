/** The same mode by its English name. */
export { default } from "./output-by-apending-ext.js";
