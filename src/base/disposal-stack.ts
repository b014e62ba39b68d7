/** Things that were opened, to be closed in the reverse order: all of them, whatever one of them throws. */
export interface DisposalStack {
  /** Takes over something disposable and gives it back. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T;
  defer(close: () => unknown): void;
  /** Closes everything once; the first error is thrown when the last thing is closed. */
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
