import { z } from "zod";
import { ByteCount, Id } from "./common.ts";

/** Secrets: whoever has `link` of kind `read` reads the files. */
export const TransferLinks = z.object({
  link: z.string(),
  /** For hosts that shall not be able to read; the same where the link is locked. */
  lockedLink: z.string(),
  kind: z.enum(["read", "locked"]),
});

export const LinkText = z.object({ link: z.string().min(1).max(4096) });

/** What a link says of itself, and what this computer says to it. Nothing is asked of the network. */
export const LinkFacts = z.object({
  kind: z.enum(["read", "locked"]),
  name: z.string(),
  size: ByteCount.nullable(),
  packLength: ByteCount,
  /** Whether this computer is a member of the link's network. */
  isNetworkKnown: z.boolean(),
  /** The link names relays through which its network can be joined. */
  joinRelayCount: z.int().nonnegative(),
  /** The transfer of the same share, where there is one. */
  transfer: Id.nullable(),
  /** Free where downloads go, and whether the pack and its files fit. */
  freeBytes: ByteCount.nullable(),
  fits: z.boolean().nullable(),
});
