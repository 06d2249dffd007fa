import { BackroomError } from "@backroom/core/base/errors.ts";
import { showableLine } from "../ui/showable.ts";

/** The same least length as for transfers. */
const LEAST = 4;

/** The one entry of a short list that a person means: by its id, by how that begins, or by what `isNamed` says. Raises E_USAGE. */
export function findEntry<Entry extends { readonly id: string }>(
  entries: readonly Entry[],
  text: string,
  isNamed: (entry: Entry) => boolean,
  kind: string,
): Entry {
  const fitting = entries.filter(
    (entry) => isNamed(entry) || (text.length >= LEAST && entry.id.startsWith(text)),
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const shown = showableLine(text);
  throw new BackroomError(
    "E_USAGE",
    only === undefined ? `there is no ${kind} “${shown}”` : `“${shown}” fits ${fitting.length} of them`,
    {
      why: `a ${kind} is named as its list prints it, or by four or more letters that its id begins with`,
      fix: "see what there is with the list, then name one of them",
    },
  );
}
