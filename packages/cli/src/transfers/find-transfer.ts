import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Client } from "@backroom/api/client/client.ts";
import { showableLine } from "../ui/showable.ts";

const WHOLE_ID = /^[a-z0-9]{16}$/;
/** Shorter ones would be mistyped into somebody else too easily. */
const ID_START = /^[a-z0-9]{4,15}$/;
/** Names that contain what was written can be many; an exact one among so many has an id that is easier to write. */
const MOST_PAGES = 10;
const NAMED_IN_ERROR = 5;

/**
 * The transfer that a person means: by its id, by how the id begins (four letters at least), or by its name where only one has it. Raises E_NO_TRANSFER.
 */
export async function findTransfer(client: Client, text: string): Promise<Transfer> {
  if (WHOLE_ID.test(text)) return client.call("getTransfer", { id: text });
  const fitting = await search(client, text, ({ id, name }) => {
    return name === text || (ID_START.test(text) && id.startsWith(text));
  });
  const [only] = fitting;
  if (only === undefined) {
    throw new BackroomError("E_NO_TRANSFER", `there is no transfer ${quoted(text)}`, {
      why: "it is neither an id, nor how one begins (four letters at least), nor the whole name of a transfer",
    });
  }
  if (fitting.length === 1) return only;
  const ids = fitting.slice(0, NAMED_IN_ERROR).map(({ id }) => id);
  throw new BackroomError("E_NO_TRANSFER", `${fitting.length} transfers fit ${quoted(text)}`, {
    why: "it has to be one of them",
    fix: `write more of the id: ${ids.join(", ")}${fitting.length > ids.length ? ", …" : ""}`,
  });
}

async function search(
  client: Client,
  text: string,
  fits: (transfer: Transfer) => boolean,
): Promise<Transfer[]> {
  const found: Transfer[] = [];
  if (text === "" || text.length > 255) return found;
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { transfers, next } = await client.call("listTransfers", {
      search: text,
      limit: 1000,
      ...(after === undefined ? {} : { after }),
    });
    found.push(...transfers.filter(fits));
    if (next === null) break;
    after = next;
  }
  return found;
}

function quoted(text: string): string {
  const shown = showableLine(text);
  return `“${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}”`;
}
