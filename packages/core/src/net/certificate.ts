import { generateKeyPairSync, sign } from "node:crypto";
import type { Random } from "../base/random.ts";

/**
 * A throwaway self-signed certificate, because TLS servers must show one (PROTOCOL 5: nobody checks it; HELLO proves the node key).
 * node:crypto can read X.509 but not write it, and the usual libraries bring some fourteen packages for these 250 bytes.
 * The subject is one letter and the dates are the same for everybody, so that a certificate tells observers nothing.
 *
 *     Certificate ::= SEQUENCE { TBSCertificate, algorithm, BIT STRING signature }                       RFC 5280, 4.1
 *     TBSCertificate ::= SEQUENCE { serial, algorithm, issuer, validity, subject, subjectPublicKeyInfo }  version 1: no extensions
 */
export function makeCertificate(random: Random): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const serial = random.bytes(8);
  // A DER integer is signed, and has no leading zeros.
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const unsigned = sequence(
    der(TAG.integer, serial),
    ECDSA_WITH_SHA256,
    NAME,
    sequence(utcTime("200101000000Z"), utcTime("491231235959Z")),
    NAME,
    publicKey.export({ format: "der", type: "spki" }),
  );
  const signature = sign("sha256", unsigned, privateKey);
  // The leading zero of a BIT STRING says that all bits of the last byte count.
  const certificate = sequence(unsigned, ECDSA_WITH_SHA256, der(TAG.bitString, Buffer.of(0), signature));
  return {
    key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`,
  };
}

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag, length in its shortest form, content (X.690, 8.1 and 10.1). Nothing here is longer than 65,535 bytes. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...(length < 0x80 ? [length] : long)), body]);
}

function sequence(...content: Uint8Array[]): Buffer {
  return der(TAG.sequence, ...content);
}

function utcTime(text: string): Buffer {
  return der(TAG.utcTime, Buffer.from(text, "latin1"));
}

/** 1.2.840.10045.4.3.2 (RFC 5758, 3.2). */
const ECDSA_WITH_SHA256 = sequence(der(TAG.oid, Buffer.from("2a8648ce3d040302", "hex")));
/** The common name (2.5.4.3) "x". */
const NAME = sequence(
  der(
    TAG.set,
    sequence(der(TAG.oid, Buffer.from("550403", "hex")), der(TAG.utf8, Buffer.from("x", "latin1"))),
  ),
);
