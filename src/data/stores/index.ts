import { openLocalFile } from "./local-file.js";
import type { DataFile } from "./store.js";

export async function openFile(path: string): Promise<DataFile> {
  return openLocalFile(path);
}
