import { decodeBencode, encodeBencode } from "../base/bencode.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

/**
 * The extension handshake (BEP 10) inside tunnels: `{ "m": {}, "reqq": requests that may wait with us }`, canonical bencode.
 *
 * `refuse` is the rule of PROTOCOL 10: whoever sends an address, or offers an extension that carries any, is dropped. `ignore` is for
 * talking to stock programs on loopback in tests, which cannot help sending them; nothing is ever done with an address.
 */
export type AddressPolicy = "refuse" | "ignore";

/** What a peer's handshake tells us. */
export interface PeerExtensions {
  /** Requests that may wait with the peer. */
  readonly requestQueue: number;
}

/** What BitTorrent programs allow when they do not say: libtorrent's and others' older bound. */
const DEFAULT_QUEUE = 250;
const KEYS = new Set(["m", "reqq"]);
const ADDRESS_KEYS = new Set(["p", "yourip", "ipv4", "ipv6"]);
const ADDRESS_EXTENSIONS = new Set(["ut_pex", "ut_holepunch", "lt_tex"]);
/** Names of ours begin so; unknown ones are passed over, which is the room for later versions. */
const OWN_PREFIX = "br_";

export function encodeExtensionHandshake(): Buffer {
  return encodeBencode({ m: {}, reqq: LIMITS.peerQueuedRequests });
}

/** Raises E_PEER_ADDRESS for what could carry an address, E_WIRE or E_BENCODE for whatever else is not allowed. */
export function decodeExtensionHandshake(payload: Buffer, policy: AddressPolicy): PeerExtensions {
  const dict = decodeBencode(payload);
  if (!(dict instanceof Map)) throw new BackroomError("E_WIRE", "an extension handshake is not a dictionary");
  const offered = dict.get("m");
  if (policy === "refuse") {
    for (const key of dict.keys()) checkName(key, KEYS, ADDRESS_KEYS);
    if (offered !== undefined && !(offered instanceof Map)) {
      throw new BackroomError("E_WIRE", "an extension handshake offers extensions in another form");
    }
    for (const name of offered?.keys() ?? []) checkName(name, new Set(), ADDRESS_EXTENSIONS);
  }
  const queue = dict.get("reqq");
  if (queue === undefined) return { requestQueue: DEFAULT_QUEUE };
  if (typeof queue !== "number" || queue < 1) {
    throw new BackroomError("E_WIRE", "an extension handshake names an impossible queue");
  }
  return { requestQueue: queue };
}

function checkName(name: string, allowed: ReadonlySet<string>, addresses: ReadonlySet<string>): void {
  if (addresses.has(name))
    throw new BackroomError("E_PEER_ADDRESS", "an extension handshake holds an address");
  if (allowed.has(name) || name.startsWith(OWN_PREFIX)) return;
  throw new BackroomError("E_WIRE", "an extension handshake holds a key that is not allowed in tunnels");
}
