import { sha256Hex } from "../../base/hash.js";

/** How older versions named the directory of every task. */
export const plainFolderOf = (task: string): string => task.replace(/[^\w.@+-]/g, "_");

const MOST_CHARACTERS = 200;

/** The name of a task's state directory. Where the plain one says too little of the task, a hash tells it from others. */
export function folderOf(task: string): string {
  const isPlain = /^[\x00-\x7f]+$/.test(task) && !/^\.{1,2}$/.test(task) && task.length <= MOST_CHARACTERS;
  if (isPlain) return plainFolderOf(task);
  const readable = task.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}_.@+-]/gu, "_");
  // At most 40 characters of four bytes each: names may have 255 bytes.
  return `${[...readable].slice(0, 40).join("")}-${sha256Hex(task).slice(0, 8)}`;
}
