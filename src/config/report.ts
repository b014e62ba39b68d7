import { type ErrorCode, type ErrorDetails, KagurazakaError, MistakesError } from "../base/errors.js";

/** Collects mistakes and notes, so that all of them are told together. */
export class Report {
  readonly mistakes: KagurazakaError[] = [];
  readonly notes = new Set<string>();

  /** @throws an error that is not the user's mistake */
  mistake(error: unknown): void {
    if (!KagurazakaError.is(error)) throw error;
    this.mistakes.push(...(error instanceof MistakesError ? error.mistakes : [error]));
  }

  refuse(code: ErrorCode, message: string, details: ErrorDetails): void {
    this.mistakes.push(new KagurazakaError(code, message, details));
  }

  note(text: string): void {
    this.notes.add(text);
  }

  /** What `read` returns; undefined where it throws a mistake. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.mistake(error);
      return undefined;
    }
  }
}
