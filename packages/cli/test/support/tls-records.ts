const CHANGE_CIPHER_SPEC = 20;
const APPLICATION_DATA = 23;
/** RFC 8446, 5.2. */
const MOST_RECORD_BYTES = 16_384 + 256;

/** What an observer can read of one direction of a connection. */
export interface Readable {
  /** The records that TLS 1.3 leaves in the clear: hellos and alerts. */
  readonly handshake: Buffer;
  /** All from the first byte on that is no TLS record. Empty when everything was TLS; a record that was cut off at the end is. */
  readonly other: Buffer;
}

/** Takes apart what was sent over TLS 1.3 into what is sealed and what can be read. */
export function readableBytes(stream: Buffer): Readable {
  const clear: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const head = stream.subarray(at, at + 5);
    const type = head[0] ?? 0;
    const isRecord = type >= CHANGE_CIPHER_SPEC && type <= APPLICATION_DATA && (head[1] ?? 3) === 3;
    const length = head.length < 5 ? 0 : head.readUInt16BE(3);
    if (!isRecord || length > MOST_RECORD_BYTES) {
      return { handshake: Buffer.concat(clear), other: stream.subarray(at) };
    }
    if (type !== APPLICATION_DATA) clear.push(stream.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return { handshake: Buffer.concat(clear), other: Buffer.alloc(0) };
}
