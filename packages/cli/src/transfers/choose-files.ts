import type { Client } from "@backroom/api/client/client.ts";
import type { Answer, Request } from "@backroom/api/routes.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { isPattern, onlyThese } from "@backroom/core/node/patterns.ts";

export type Choices = Request<"chooseFiles">["choices"];

/** What the daemon gives at once at most. */
const PAGE = 5000;
const NOTHING: Choices[number] = { path: "", priority: "skip" };

/** With what a download begins: where there are patterns, the list of files alone is fetched until it is known what they fit. */
export function firstChoices(names: readonly string[]): Choices {
  return names.some((name) => isPattern(name)) ? [NOTHING] : [NOTHING, ...plainChoices(names)];
}

function plainChoices(names: readonly string[]): Choices {
  return names.map((path) => ({ path, priority: "normal" }));
}

/** The files and folders that people name, by path or pattern, and no others. Waits until the index is there. Raises E_NO_FILE. */
export async function chooseOnly(
  client: Client,
  id: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Transfer> {
  const choices = await chosenBy(client, id, names, signal);
  return client.call("chooseFiles", { id, choices: [NOTHING, ...choices] });
}

/** The same with another priority, beside what was chosen before. */
export async function choose(
  client: Client,
  id: string,
  names: readonly string[],
  { priority, signal }: { readonly priority: Choices[number]["priority"]; readonly signal: AbortSignal },
): Promise<Transfer> {
  const choices = await chosenBy(client, id, names, signal);
  return client.call("chooseFiles", { id, choices: choices.map(({ path }) => ({ path, priority })) });
}

/** Names go to the daemon as they are: it knows folders with nothing in them, too. */
async function chosenBy(
  client: Client,
  id: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Choices> {
  const patterns = names.filter((name) => isPattern(name));
  const plain = plainChoices(names.filter((name) => !isPattern(name)));
  if (patterns.length === 0) {
    // What the daemon is told before it knows the files it cannot refuse.
    await client.call("files", { id, limit: 1 }, { signal });
    return plain;
  }
  const fitting = await onlyThese(allEntries(client, id, signal), patterns);
  return [...plain, ...fitting.choices().filter(({ path }) => path !== "")];
}

/** Files, and before each the folders that it is in and that were not named yet. */
async function* allEntries(
  client: Client,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly path: string }> {
  const folders = new Set<string>();
  let after: string | null | undefined;
  while (after !== null) {
    if (signal.aborted) throw new BackroomError("E_INTERRUPTED", "the command was stopped");
    const page: Answer<"files"> = await client.call(
      "files",
      { id, limit: PAGE, ...(after === undefined ? {} : { after }) },
      { signal },
    );
    for (const { path } of page.files) {
      for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
        const folder = path.slice(0, slash + 1);
        if (folders.has(folder)) continue;
        folders.add(folder);
        yield { path: folder };
      }
      yield { path };
    }
    after = page.next;
  }
}
