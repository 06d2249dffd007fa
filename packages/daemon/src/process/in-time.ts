/**
 * Whether `work` ended within that time. Never raises: at the end of a process nobody is left who could do something about a failure. The timer keeps the process alive,
 * as those of `core/base/within` do not: what has to be done afterwards is done also where nothing else is left that does.
 */
export async function endsInTime(work: Promise<unknown>, mostMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), mostMs);
  try {
    const done = work.then(
      () => true,
      () => true,
    );
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
