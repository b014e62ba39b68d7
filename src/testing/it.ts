/** The `it` of a test runner. A case that does not apply is declared with `skip`, and its title says why. */
export interface It {
  (title: string, body: () => Promise<void>): unknown;
  skip(title: string, body: () => Promise<void>): unknown;
}

type Declare = (title: string, body: () => Promise<void>) => void;

interface Cases {
  readonly test: Declare;
  /** Declares skipped cases where there is a reason, else usual ones. */
  unless(reason: string | false): Declare;
}

/** Declares cases about one subject, which their titles begin with. */
export function casesOf(it: It, subject: string): Cases {
  const test: Declare = (title, body) => void it(`${subject}: ${title}`, body);
  const unless = (reason: string | false): Declare =>
    reason ? (title, body) => void it.skip(`${subject}: ${title} (skipped: ${reason})`, body) : test;
  return { test, unless };
}
