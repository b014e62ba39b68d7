import { randomBytes } from "node:crypto";

/** Sorts by time, unique across machines: `20261120T104607Z-1f9c3a`. */
export function createRunId(now = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
  return `${stamp}-${randomBytes(3).toString("hex")}`;
}
