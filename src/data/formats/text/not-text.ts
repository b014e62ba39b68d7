export { NotText } from "../../features/not-text.js";
