import { AsyncLocalStorage } from "node:async_hooks";

interface Talker {
  readonly key: string;
}

interface CurrentItem {
  readonly storage: AsyncLocalStorage<Talker>;
  /** Where only one item is under way at a time, it is that one. */
  only: Talker | null;
}

declare global {
  var kagurazakaTalking: CurrentItem | undefined;
}

/** Which item of this thread is talking, for what it prints. The worker's file and the command's each hold a copy of this module. */
globalThis.kagurazakaTalking ??= { storage: new AsyncLocalStorage(), only: null };
export const currentItem: CurrentItem = globalThis.kagurazakaTalking;

export const keyOfCurrentItem = (): string | null => (currentItem.storage.getStore() ?? currentItem.only)?.key ?? null;
