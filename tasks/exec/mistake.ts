/** A mistake in the command as it was typed; `hint` shows what to type instead. */
export class Mistake extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
