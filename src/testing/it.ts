/** A test runner's way to declare a case. A case that does not apply is declared with `skip`, its reason in the title. */
export interface It {
  (title: string, body: () => Promise<void>): unknown;
  skip(title: string, body: () => Promise<void>): unknown;
}

/** Declares a case, or a skipped one with the reason, when there is one. */
export function declare(it: It, title: string, body: () => Promise<void>, notBecause?: string | false): void {
  if (notBecause) it.skip(`${title} (skipped: ${notBecause})`, body);
  else it(title, body);
}
