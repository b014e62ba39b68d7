/** Closes resources in the reverse order of their opening: all of them, even if some of them throw. */
export interface DisposalStack {
  /** Adds a resource and returns it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T;
  defer(close: () => unknown): void;
  /** Closes each resource once, then throws the first error, if any. */
  close(): Promise<void>;
}

export function openDisposalStack(): DisposalStack {
  const closers: (() => unknown)[] = [];
  return {
    use(resource) {
      const symbol = Symbol.asyncDispose in resource ? Symbol.asyncDispose : Symbol.dispose;
      closers.push(() => (resource as unknown as Record<symbol, () => unknown>)[symbol]!());
      return resource;
    },
    defer: (close) => void closers.push(close),
    async close() {
      const errors: unknown[] = [];
      for (let close = closers.pop(); close; close = closers.pop()) {
        try {
          await close();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
