/** What is wrong with the command as it was typed; `hint` says what to type. */
export class Mistake extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
