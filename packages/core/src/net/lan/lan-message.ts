import { ByteReader, u16be, u32be } from "../../base/bytes.ts";
import { decodeBase32, encodeBase32 } from "../../base/base32.ts";
import { BackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

/**
 * What members and relays of one local network say to each other: DNS messages of one service (RFC 6762, 6763; PROTOCOL 7.7), in the one form that we
 * write ourselves. Names are never compressed, so nothing has to be followed.
 *
 *     question  12 header ‖ name(_backroom._tcp.local) ‖ u16 12 (PTR) ‖ u16 1 (IN)
 *     answer    12 header ‖ the question ‖ PTR record ‖ SRV record ‖ TXT record
 */
export interface LanAnswer {
  /** Of the question that it answers. */
  readonly id: number;
  readonly networkId: number;
  /** Ed25519, 32 bytes. */
  readonly nodeKey: Buffer;
  /** TCP; the address is the one that the answer comes from. */
  readonly port: number;
}

const TYPE = { ptr: 12, txt: 16, srv: 33, any: 255 } as const;
const IN = 1;
/** RFC 6762, 5.4 and 10.2: "answer me alone", and "forget what you knew", in the class. */
const CLASS_FLAG = 0x8000;
const RESPONSE = 0x8400;
/** A response bit or an operation other than a query. */
const NOT_A_QUERY = 0xf800;
/** RFC 6762, 6.7: what answers somebody who is no full resolver is not to be kept. */
const TTL_S = 10;
const SERVICE = name("_backroom", "_tcp", "local");
const LABEL_LENGTH = 16;
const KEY_LETTERS = 52;
const HEADER_BYTES = 12;
/** Type, class, life and length. */
const RECORD_BYTES = 10;
const INSTANCE_BYTES = 1 + LABEL_LENGTH + SERVICE.length;
const HOST_BYTES = 1 + LABEL_LENGTH + name("local").length;

export function encodeLanQuestion(id: number): Buffer {
  return Buffer.concat([header(id, 0, 0, 0), SERVICE, u16be(TYPE.ptr), u16be(IN)]);
}

/**
 * The id of a question for our service; undefined for all other traffic of the group, of which there is much. Only the first question is looked at:
 * stock browsers, which ask the same, may have more to say behind it.
 */
export function decodeLanQuestion(bytes: Uint8Array): number | undefined {
  if (bytes.length > LIMITS.lanMessageBytes) return undefined;
  if (bytes.length < HEADER_BYTES + SERVICE.length + 4) return undefined;
  const reader = new ByteReader(bytes);
  const id = reader.u16();
  if ((reader.u16() & NOT_A_QUERY) !== 0 || reader.u16() === 0) return undefined;
  reader.take(6);
  if (!isService(reader.take(SERVICE.length))) return undefined;
  const type = reader.u16();
  const asked = type === TYPE.ptr || type === TYPE.any;
  return asked && (reader.u16() & ~CLASS_FLAG) === IN ? id : undefined;
}

export function encodeLanAnswer({ id, networkId, nodeKey, port }: LanAnswer): Buffer {
  const key = encodeBase32(nodeKey);
  const label = key.slice(0, LABEL_LENGTH);
  const instance = name(label, "_backroom", "_tcp", "local");
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value, "latin1")]);
  return Buffer.concat([
    header(id, RESPONSE, 1, 2),
    SERVICE,
    u16be(TYPE.ptr),
    u16be(IN),
    record(SERVICE, TYPE.ptr, instance),
    // Priority and weight, then port and the host's name, for which there is no address: it would be one more thing to lie about.
    record(instance, TYPE.srv, Buffer.concat([u32be(0), u16be(port), name(label, "local")])),
    record(
      instance,
      TYPE.txt,
      Buffer.concat([text(`n=${networkId.toString(16).padStart(8, "0")}`), text(`k=${key}`)]),
    ),
  ]);
}

/** Takes what `encodeLanAnswer` writes and nothing else: all parts have fixed lengths. Raises E_DECODE. */
export function decodeLanAnswer(bytes: Uint8Array): LanAnswer {
  const reader = new ByteReader(bytes);
  const id = reader.u16();
  reader.take(HEADER_BYTES - 2 + SERVICE.length + 4);
  reader.take(SERVICE.length + RECORD_BYTES + INSTANCE_BYTES);
  reader.take(INSTANCE_BYTES + RECORD_BYTES + 4);
  const port = reader.u16();
  reader.take(HOST_BYTES + INSTANCE_BYTES + RECORD_BYTES + 3);
  const networkId = reader.take(8).toString("latin1");
  reader.take(3);
  const nodeKey = decodeBase32(reader.take(KEY_LETTERS).toString("latin1"), "E_DECODE");
  reader.end();
  const answer = { id, networkId: Number.parseInt(networkId, 16), nodeKey, port };
  if (!/^[0-9a-f]{8}$/.test(networkId) || port === 0 || !encodeLanAnswer(answer).equals(bytes)) {
    throw new BackroomError("E_DECODE", "an answer on the local network is malformed");
  }
  return answer;
}

function header(id: number, flags: number, answers: number, additional: number): Buffer {
  return Buffer.concat([id, flags, 1, answers, 0, additional].map(u16be));
}

function record(owner: Buffer, type: number, data: Buffer): Buffer {
  return Buffer.concat([owner, u16be(type), u16be(IN), u32be(TTL_S), u16be(data.length), data]);
}

function name(...labels: readonly string[]): Buffer {
  const parts = labels.map((label) =>
    Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]),
  );
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** DNS names are the same whatever the case of their letters. */
function isService(bytes: Buffer): boolean {
  return bytes.toString("latin1").toLowerCase() === SERVICE.toString("latin1");
}
