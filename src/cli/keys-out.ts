import { escapeControls } from "../base/text.js";

/**
 * Keys for `--keys FILE`: bare, one a line. On a terminal, where they are for people, control characters are escaped. A key
 * that holds a line break cannot stand in such a file; those are counted.
 */
export class KeyLines {
  omitted = 0;

  lineOf(key: string): string | undefined {
    if (/[\r\n]/.test(key)) {
      this.omitted++;
      return undefined;
    }
    return process.stdout.isTTY ? escapeControls(key) : key;
  }

  /** What to say at the end. */
  get note(): string | undefined {
    if (this.omitted === 0) return undefined;
    return `keys with line breaks are left out, for --keys FILE cannot name them: ${this.omitted}`;
  }
}
