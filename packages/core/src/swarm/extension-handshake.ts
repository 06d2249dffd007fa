import { decodeBencode, encodeBencode, type BencodedValue } from "../base/bencode.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { LEASES_EXTENSION, LEASES_ID } from "./lease-exchange.ts";

/**
 * The extension handshake (BEP 10) inside tunnels: `{ "m": { "br_leases": 1 }, "reqq": requests that may wait with us }`, canonical
 * bencode; `m` is empty where there are no leases to be had.
 *
 * `refuse` is the rule of PROTOCOL 10: whoever sends an address, or offers an extension that carries any, is dropped. `ignore` is for
 * talking to stock programs on loopback in tests, which cannot help sending them; nothing is ever done with an address.
 */
export type AddressPolicy = "refuse" | "ignore";

/** What a peer's handshake tells us. */
export interface PeerExtensions {
  /** Requests that may wait with the peer. */
  readonly requestQueue: number;
  /** The extended id under which the peer takes leases; undefined when it takes none. */
  readonly leasesId: number | undefined;
}

/** What BitTorrent programs allow when they do not say: libtorrent's and others' older bound. */
const DEFAULT_QUEUE = 250;
const KEYS = new Set(["m", "reqq"]);
const ADDRESS_KEYS = new Set(["p", "yourip", "ipv4", "ipv6"]);
const ADDRESS_EXTENSIONS = new Set(["ut_pex", "ut_holepunch", "lt_tex"]);
/** Names of ours begin so; unknown ones are passed over, which is the room for later versions. */
const OWN_PREFIX = "br_";

export function encodeExtensionHandshake(takesLeases: boolean): Buffer {
  const extensions: Record<string, number> = takesLeases ? { [LEASES_EXTENSION]: LEASES_ID } : {};
  return encodeBencode({ m: extensions, reqq: LIMITS.peerQueuedRequests });
}

/** Raises E_PEER_ADDRESS for what could carry an address, E_WIRE or E_BENCODE for whatever else is not allowed. */
export function decodeExtensionHandshake(payload: Buffer, policy: AddressPolicy): PeerExtensions {
  const dict = decodeBencode(payload);
  if (!(dict instanceof Map)) throw new BackroomError("E_WIRE", "an extension handshake is not a dictionary");
  const offered = dict.get("m");
  if (policy === "refuse") {
    if (offered !== undefined && !(offered instanceof Map)) {
      throw new BackroomError("E_WIRE", "an extension handshake offers extensions in another form");
    }
    const names = [...(offered?.keys() ?? [])];
    const keys = [...dict.keys()];
    // Addresses first, so that the code tells the worse of two offences.
    if (keys.some((key) => ADDRESS_KEYS.has(key)) || names.some((name) => ADDRESS_EXTENSIONS.has(name))) {
      throw new BackroomError("E_PEER_ADDRESS", "an extension handshake holds an address");
    }
    const own = (name: string): boolean => name.startsWith(OWN_PREFIX);
    if (!names.every(own) || !keys.every((key) => KEYS.has(key) || own(key))) {
      throw new BackroomError("E_WIRE", "an extension handshake holds a key that is not allowed in tunnels");
    }
  }
  const queue = dict.get("reqq") ?? DEFAULT_QUEUE;
  if (typeof queue !== "number" || queue < 1) {
    throw new BackroomError("E_WIRE", "an extension handshake names an impossible queue");
  }
  return { requestQueue: queue, leasesId: leasesIdIn(offered) };
}

/** BEP 10: a number of the peer's choosing; 0 takes an earlier offer back. */
function leasesIdIn(offered: BencodedValue | undefined): number | undefined {
  const id = offered instanceof Map ? offered.get(LEASES_EXTENSION) : undefined;
  if (id === undefined || id === 0) return undefined;
  if (typeof id !== "number" || id < 0 || id > 255) {
    throw new BackroomError("E_WIRE", "an extension handshake names an impossible extended id");
  }
  return id;
}
