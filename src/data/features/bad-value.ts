import { objectName } from "./plain-data.js";

/** A value that its feature does not allow. */
export class BadValue extends Error {
  /** `meta.url`, `tags[]`. */
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super(`column ${path}: ${message}`, options);
    this.name = "BadValue";
    this.path = path;
  }
}

/** Takes a value, or turns it into what rows hold. @throws BadValue */
export type Check = (value: unknown, path: string) => unknown;

export const wrong = (path: string, value: unknown, wanted: string): BadValue =>
  new BadValue(path, `${describe(value)} is not ${wanted}`);

export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (value === undefined || value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "an array" : objectName(value);
}

/** As the check, with every error a BadValue: a getter that throws, a Proxy. */
export const guarded =
  (check: Check): Check =>
  (value, path) => {
    try {
      return check(value, path);
    } catch (error) {
      throw asBadValue(error, path);
    }
  };

export function asBadValue(error: unknown, path: string): BadValue {
  if (error instanceof BadValue) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new BadValue(path, `it cannot be read: ${message}`, { cause: error });
}
