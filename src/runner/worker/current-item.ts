import { AsyncLocalStorage } from "node:async_hooks";

interface PrintingItem {
  readonly key: string;
}

interface CurrentItem {
  readonly storage: AsyncLocalStorage<PrintingItem>;
  /** The running item, where only one runs at a time. */
  only: PrintingItem | null;
}

declare global {
  var kagurazakaCurrentItem: CurrentItem | undefined;
}

/** The item that prints in this thread. The bundles of the worker and of the command each have a copy of this module. */
globalThis.kagurazakaCurrentItem ??= { storage: new AsyncLocalStorage(), only: null };
export const currentItem: CurrentItem = globalThis.kagurazakaCurrentItem;

export const keyOfCurrentItem = (): string | null => (currentItem.storage.getStore() ?? currentItem.only)?.key ?? null;
