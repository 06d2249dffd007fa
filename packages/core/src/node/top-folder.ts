/** The one folder that holds everything of a share, found out while its entries go by. People who name something in it leave its name out. */
export class TopFolder {
  #name: string | undefined;
  #isOnly = true;

  /** Told of the path of every entry: what it is called below that folder, if there is one; undefined for the folder itself. */
  below(path: string): string | undefined {
    const slash = path.indexOf("/");
    const name = slash < 0 ? undefined : path.slice(0, slash);
    this.#name ??= name;
    if (name === undefined || name !== this.#name) this.#isOnly = false;
    const rest = slash < 0 ? "" : path.slice(slash + 1);
    return rest === "" ? undefined : rest.replace(/\/$/, "");
  }

  /** Once all entries have gone by: undefined where several things lie at the top, or a file does. */
  get name(): string | undefined {
    return this.#isOnly ? this.#name : undefined;
  }
}
