/** A value that a text format cannot say: NaN in JSON, a list in CSV. */
export class NotText extends Error {}
