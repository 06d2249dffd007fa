import { formatLink } from "../../src/link/link.ts";

/** Of a share that nobody has. */
const share = {
  networkId: 7,
  piecesRoot: Buffer.alloc(32, 1),
  packLength: 1000,
  sharerFingerprint: Buffer.alloc(16, 2),
  relays: [],
};

/** The text of a link that needs a password or somebody's key. */
export const LOCKED_LINK = formatLink({ kind: "locked", ...share, topicSecret: Buffer.alloc(32, 3) });

/** Of one that opens its share by itself. */
export const READ_LINK = formatLink({ kind: "read", ...share, identity: Buffer.alloc(32, 4) });
