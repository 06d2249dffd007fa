/**
 * IP addresses between text and bytes, without names and without a resolver: members never look a name up.
 * One address has one text (RFC 5952), so texts can be compared.
 */

/** 4 or 16 bytes; undefined for anything that is no plain address (names, zones, leading zeros, ports). */
export function ipBytes(text: string): Buffer | undefined {
  return text.includes(":") ? v6Bytes(text) : v4Bytes(text);
}

/** The text of 4 or 16 address bytes. */
export function ipText(bytes: Uint8Array): string {
  return bytes.length === 4 ? [...bytes].join(".") : v6Text(bytes);
}

function v4Bytes(text: string): Buffer | undefined {
  const parts = text.split(".");
  // A leading zero means octal to some programs and decimal to others, so it is refused.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return Buffer.from(parts.map(Number));
}

function v6Bytes(text: string): Buffer | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 1 ? [] : groups(halves[1] as string, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  // "::" stands for at least one group.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Buffer.from([...head, ...Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of colon-separated groups; the last one may be a dotted IPv4 address when the text ends there. */
function groups(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && atEnd && index === parts.length - 1) {
      const v4 = v4Bytes(part);
      if (v4 === undefined) return undefined;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      const value = Number.parseInt(part, 16);
      bytes.push(value >>> 8, value & 255);
    }
  }
  return bytes;
}

/** RFC 5952: lowercase, no leading zeros, "::" for the first longest run of at least two zero groups. */
function v6Text(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = words.map((word) => word.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

/** True for an IPv4 address in IPv6 form (::ffff:0:0/96): one address would have two encodings. */
export function isMapped(ip: Buffer): boolean {
  return ip.length === 16 && ip.subarray(0, 10).every((byte) => byte === 0) && ip.readUInt16BE(10) === 0xffff;
}
