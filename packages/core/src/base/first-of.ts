export interface Attempts<T> {
  /** Begins another one, or gives undefined when there may be no more. `onSlow`: to be called when others should get a try beside it. */
  begin(onSlow: () => void): Promise<T> | undefined;
  /** Whether another one may do better than the one that failed so. */
  mayGoOn(error: unknown): boolean;
  /** What came when something else had been taken. */
  discard(value: T): void;
}

/**
 * The first attempt that succeeds. The next one begins when the one before has failed or is slow; those that are slow go on beside it. Raises what
 * the last one failed by, or at once what no other attempt could mend.
 */
export async function firstOf<T>(attempts: Attempts<T>): Promise<T> {
  const running = new Set<Promise<void>>();
  /** Fulfilled once the latest attempt has ended or is slow; undefined from then on. */
  let latest: Promise<void> | undefined;
  let taken: { readonly value: T } | undefined;
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;
  try {
    for (;;) {
      if (latest === undefined) start();
      if (running.size === 0) throw failure?.error;
      await Promise.race(latest === undefined ? running : [latest, ...running]);
      if (taken !== undefined) return taken.value;
      if (failure !== undefined && !attempts.mayGoOn(failure.error)) throw failure.error;
    }
  } finally {
    isOver = true;
  }

  function start(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const passOn = (): void => {
      if (latest === promise) latest = undefined;
      resolve();
    };
    latest = promise;
    const attempt = attempts.begin(passOn);
    if (attempt === undefined) return passOn();
    const settled: Promise<void> = attempt
      .then(
        (value) => {
          if (isOver || taken !== undefined) attempts.discard(value);
          else taken = { value };
        },
        (error: unknown) => void (failure = { error }),
      )
      .finally(() => {
        running.delete(settled);
        passOn();
      });
    running.add(settled);
  }
}
