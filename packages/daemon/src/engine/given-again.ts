import type { Input } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { formatLink, parseLink, topicSecret, type ShareLink } from "@backroom/core/link/link.ts";
import type { TransferRecord } from "../catalogue/catalogue.ts";
import { isInReach } from "../reach.ts";

export function keysGiven({
  password,
  identity,
}: Pick<Input<"addGet">, "password" | "identity">): TransferRecord["keys"] {
  return {
    ...(password === undefined ? {} : { password }),
    ...(identity === undefined ? {} : { identity }),
  };
}

/** With a read link of the same share, where only a locked one was known. Raises E_OTHER_PACK for one that merely names the same pack. */
export function betterLink(record: TransferRecord, link: ShareLink): TransferRecord {
  if (record.link === null || link.kind !== "read") return record;
  const known = parseLink(record.link);
  if (known.kind === "read") return record;
  if (!topicSecret(link).equals(topicSecret(known))) {
    throw new BackroomError("E_OTHER_PACK", "the link is that of another share of the same pack");
  }
  const { name, filesBytes } = link;
  return {
    ...record,
    link: formatLink(link),
    kind: "read",
    name: record.name === "" ? (name ?? "") : record.name,
    size: record.size ?? filesBytes ?? null,
  };
}

/** Where its files went, as far as whoever asks now may have files put there. */
export function placeBefore({ output }: Pick<TransferRecord, "output">, reach: string | null): string | null {
  return output !== null && isInReach(output, reach) ? output : null;
}
