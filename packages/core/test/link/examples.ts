import { formatLink } from "../../src/link/link.ts";

/** The text of a link that needs a password or somebody's key, to a share that nobody has. */
export const LOCKED_LINK = formatLink({
  kind: "locked",
  networkId: 7,
  piecesRoot: Buffer.alloc(32, 1),
  packLength: 1000,
  sharerFingerprint: Buffer.alloc(16, 2),
  topicSecret: Buffer.alloc(32, 3),
  relays: [],
});
