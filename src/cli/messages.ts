import { KagurazakaError, MistakesError } from "../base/errors.js";
import { escapeControls } from "../base/text.js";

/** What switches each style of a terminal on and off. */
const styles = {
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
} as const;

/** Colours, where the terminal has them and `NO_COLOR` is not set. */
export type Palette = Readonly<Record<keyof typeof styles, (text: string) => string>>;

export function createPalette(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Palette {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "0";
  const on =
    (env.NO_COLOR === undefined || env.NO_COLOR === "") && env.TERM !== "dumb" && (stream.isTTY === true || forced);
  const paints = Object.entries(styles).map(([name, [open, close]]) => {
    const paint = (text: string): string => (on ? `\x1b[${open}m${text}\x1b[${close}m` : text);
    return [name, paint];
  });
  return Object.fromEntries(paints);
}

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
