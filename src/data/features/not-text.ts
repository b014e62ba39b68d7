/** A value that a text format cannot represent: NaN in JSON, a list in CSV. */
export class NotText extends Error {
  /** Without the name of the column: "NaN, which JSON cannot represent". */
  readonly what: string;

  /** @param column the message begins with; undefined where `what` is a sentence */
  constructor(what: string, column?: string) {
    super(column === undefined ? what : `column ${column} is ${what}`);
    this.what = what;
  }
}
