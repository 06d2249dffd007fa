/** Changes of one transfer wait for each other; those of different ones do not. */
export class ChangeQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs after every other change of the same transfer, whatever became of those. */
  async run<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id) ?? Promise.resolve();
    const turn = before.then(work);
    const settled = turn.catch(() => {});
    this.#last.set(id, settled);
    try {
      return await turn;
    } finally {
      if (this.#last.get(id) === settled) this.#last.delete(id);
    }
  }
}
