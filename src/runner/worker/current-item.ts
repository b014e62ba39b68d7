import { AsyncLocalStorage } from "node:async_hooks";

interface Talker {
  readonly key: string;
}

interface CurrentItem {
  readonly storage: AsyncLocalStorage<Talker>;
  /** The running item, where only one runs at a time. */
  only: Talker | null;
}

declare global {
  var kagurazakaTalking: CurrentItem | undefined;
}

/** The item that prints in this thread. The bundles of the worker and of the command each have a copy of this module. */
globalThis.kagurazakaTalking ??= { storage: new AsyncLocalStorage(), only: null };
export const currentItem: CurrentItem = globalThis.kagurazakaTalking;

export const keyOfCurrentItem = (): string | null => (currentItem.storage.getStore() ?? currentItem.only)?.key ?? null;
