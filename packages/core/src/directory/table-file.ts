import { asBuffer, ByteReader, u16be, u32be, u48be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { sha256 } from "../crypto/hash.ts";
import { decodeVerifiedRelayInfo } from "./relay-info.ts";
import { RelayTable, type TableDeps, type TableEntry } from "./table.ts";

/**
 * A table on disk: a cache, read by the member that wrote it. The infos were verified before they entered the table; the checksum stands for that,
 * against damage. (Who can write to the data folder can do worse than forge relays.)
 *
 *     "BRT1" ‖ u32 network id ‖ u16 count ‖ count × entry ‖ 32 SHA-256 of all before
 *     entry = u16 n ‖ n relay info ‖ u48 first seen (s) ‖ u8 proven ‖ u8 sources ‖ sources × 8
 */
const MAGIC = Buffer.from("BRT1", "latin1");
const CHECKSUM_BYTES = 32;

export function encodeTable(table: RelayTable, networkId: number): Buffer {
  const entries = table.entries();
  const body = Buffer.concat([MAGIC, u32be(networkId), u16be(entries.length), ...entries.map(encodeEntry)]);
  return Buffer.concat([body, sha256(body)]);
}

function encodeEntry({ info, firstSeenS, proven, sources }: TableEntry): Buffer {
  return Buffer.concat([
    u16be(info.bytes.length),
    info.bytes,
    u48be(firstSeenS),
    Buffer.from([proven ? 1 : 0, sources.length]),
    ...sources.map((source) => Buffer.from(source, "hex")),
  ]);
}

/** Leaves out what has gone stale. Raises E_DECODE for damage and E_OTHER_NETWORK: the caller begins with an empty table then. */
export function decodeTable(bytes: Uint8Array, deps: TableDeps): RelayTable {
  const table = new RelayTable(deps);
  for (const entry of decodeTableEntries(bytes, deps.network.id)) table.restore(entry);
  return table;
}

/** All that was saved, also what is too old to be used: a relay's key and address may still hold. Raises as `decodeTable`. */
export function decodeTableEntries(bytes: Uint8Array, networkId: number): TableEntry[] {
  const body = asBuffer(bytes).subarray(0, -CHECKSUM_BYTES);
  if (!sha256(body).equals(asBuffer(bytes).subarray(body.length))) {
    throw new BackroomError("E_DECODE", "the saved table of relays is damaged");
  }
  const reader = new ByteReader(body);
  if (!reader.take(MAGIC.length).equals(MAGIC)) {
    throw new BackroomError("E_DECODE", "the file is no table of relays");
  }
  if (reader.u32() !== networkId) {
    throw new BackroomError("E_OTHER_NETWORK", "the saved table of relays is of another network");
  }
  const entries = Array.from({ length: reader.u16() }, () => decodeEntry(reader));
  reader.end();
  return entries;
}

function decodeEntry(reader: ByteReader): TableEntry {
  const info = decodeVerifiedRelayInfo(reader.take(reader.u16()));
  const firstSeenS = reader.u48();
  const proven = reader.u8();
  const count = reader.u8();
  if (proven > 1 || count > LIMITS.tableSourcesKept) {
    throw new BackroomError("E_DECODE", "an entry of the table of relays is damaged");
  }
  const sources = Array.from({ length: count }, () => reader.take(8).toString("hex"));
  return { info, firstSeenS, proven: proven === 1, sources };
}
