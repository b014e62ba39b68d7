import { AsyncLocalStorage } from "node:async_hooks";

interface Talker {
  readonly key: string;
}

interface Talking {
  readonly storage: AsyncLocalStorage<Talker>;
  /** Where only one item is under way at a time, it is that one. */
  only: Talker | null;
}

declare global {
  var kagurazakaTalking: Talking | undefined;
}

/** Which item of this thread is talking, for what it prints. The worker's file and the command's each hold a copy of this module. */
globalThis.kagurazakaTalking ??= { storage: new AsyncLocalStorage(), only: null };
export const talking: Talking = globalThis.kagurazakaTalking;

export const keyOfTalkingItem = (): string | null => (talking.storage.getStore() ?? talking.only)?.key ?? null;
