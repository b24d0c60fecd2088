/** A loader that waits at a gate until the test lets it through. */
export interface Gate<T> {
  readonly load: () => Promise<T>;
  /** How often it was called. */
  readonly calls: () => number;
  /** Ends the oldest call that still waits. */
  readonly finish: (value: T) => void;
  readonly fail: (error: Error) => void;
}

/** A loader of which a test decides when and how it ends. */
export function gate<T>(): Gate<T> {
  const waiting: { readonly resolve: (value: T) => void; readonly reject: (error: Error) => void }[] = [];
  let calls = 0;
  return {
    load: () => {
      calls += 1;
      return new Promise<T>((resolve, reject) => waiting.push({ resolve, reject }));
    },
    calls: () => calls,
    finish: (value) => waiting.shift()?.resolve(value),
    fail: (error) => waiting.shift()?.reject(error),
  };
}
