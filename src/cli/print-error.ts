import { KagurazakaError, MistakesError } from "../base/errors.js";
import { escapeControls } from "../base/text.js";
import type { Palette } from "./palette.js";

/** A failure for a person: what, where, the lines it is about, what to do. A stack only where it is our own defect. */
export function formatError(error: unknown, palette: Palette): string {
  if (error instanceof MistakesError || (KagurazakaError.is(error) && "mistakes" in error)) {
    const { mistakes } = error as MistakesError;
    return mistakes.map((mistake) => formatError(mistake, palette)).join("\n");
  }
  if (!KagurazakaError.is(error)) {
    const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `${palette.red("error")} ${palette.dim("[internal]")} this is a defect of kagurazaka:\n${escapeControls(shown, "newlines")}`;
  }
  const lines = [
    `${palette.red("error")} ${palette.dim(`[${error.code}]`)} ${escapeControls(error.message, "newlines")}`,
  ];
  if (error.where !== undefined) lines.push(`  ${palette.dim("at")} ${escapeControls(error.where)}`);
  if (error.frame !== undefined) lines.push(indent(escapeControls(error.frame, "newlines")));
  if (error.hint !== undefined) lines.push(`  ${palette.cyan("→")} ${escapeControls(error.hint, "newlines")}`);
  if (error.code === "internal" && error.stack) lines.push(indent(escapeControls(error.stack, "newlines")));
  return lines.join("\n");
}

const indent = (text: string): string =>
  text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
