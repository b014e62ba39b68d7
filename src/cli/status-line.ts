/** How far some work is, on stderr: one line that is drawn again on a terminal, or a line every 10 s, or nothing. */
export interface StatusLine {
  /** Shows the state, unless that was done a moment ago. For work that leaves timers no time to fire. */
  tick(): void;
  /** Prints a text above it. */
  line(text: string): void;
  stop(): void;
}

export type StatusKind = "bar" | "lines" | "none";

const DRAW_EVERY_MS = 100;
export const LINE_EVERY_MS = 10_000;
/** The terminal itself cuts what is longer than its line. */
const WRAP_OFF = "\x1b[?7l";
const WRAP_ON = "\x1b[?7h";
const CLEAR = "\r\x1b[K";

/** @param describe the state now, in one line */
export function openStatusLine(kind: StatusKind, describe: () => string, out: NodeJS.WriteStream): StatusLine {
  const isBar = kind === "bar";
  const everyMs = isBar ? DRAW_EVERY_MS : LINE_EVERY_MS;
  let shown = "";
  let shownMs = Date.now();
  const draw = (): void => void out.write(`\r${WRAP_OFF}${shown}\x1b[K${WRAP_ON}`);
  const show = (): void => {
    shownMs = Date.now();
    shown = describe();
    if (isBar) draw();
    else out.write(`${shown}\n`);
  };
  const timer = kind === "none" ? undefined : setInterval(show, everyMs).unref();
  return {
    tick() {
      if (kind !== "none" && Date.now() - shownMs >= everyMs) show();
    },
    line(text) {
      const isDrawn = isBar && shown !== "";
      out.write(`${isDrawn ? CLEAR : ""}${text}\n`);
      if (isDrawn) draw();
    },
    stop() {
      clearInterval(timer);
      if (isBar && shown !== "") out.write(CLEAR);
    },
  };
}

/** `auto` is a bar on a terminal. */
export function statusKind(asked: "auto" | StatusKind, out: NodeJS.WriteStream): StatusKind {
  if (asked !== "auto") return asked;
  return out.isTTY && process.env.TERM !== "dumb" ? "bar" : "lines";
}
