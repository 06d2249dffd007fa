import { createCipheriv, createDecipheriv, scrypt } from "node:crypto";
import { Stanza, type Identity, type Recipient } from "age-encryption";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";

/**
 * age's scrypt stanza (age specification, "The scrypt recipient type"):
 *
 *   -> scrypt base64(16 salt) logN
 *   base64(ChaCha20-Poly1305(scrypt(password, "age-encryption.org/v1/scrypt" ‖ salt, N, r = 8, p = 1), zero nonce, file key))
 *
 * Ours instead of the package's because that one works a second of scrypt off in JavaScript on the main thread;
 * node:crypto does it beside. It also refuses a work factor above LIMITS.ageScryptLogN before it spends any memory.
 */
const LABEL = Buffer.from("age-encryption.org/v1/scrypt");
const ZERO_NONCE = Buffer.alloc(12);
const CIPHER = "chacha20-poly1305";

export function scryptRecipient(password: string, logN: number, random: Random): Recipient {
  return {
    wrapFileKey: async (fileKey) => {
      const salt = random.bytes(16);
      const key = await stretch(password, salt, logN);
      const cipher = createCipheriv(CIPHER, key, ZERO_NONCE, { authTagLength: 16 });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new Stanza(["scrypt", encodeBase64(salt), String(logN)], body)];
    },
  };
}

/** Gives null where the password is another one. Raises E_AGE_HEADER for a malformed stanza. */
export function scryptIdentity(password: string): Identity {
  return {
    unwrapFileKey: async (stanzas) => {
      const stanza = stanzas.find(({ args }) => args[0] === "scrypt");
      if (stanza === undefined) return null;
      // Alone or not at all: whoever shares a password with others must not be fooled about who else can read.
      if (stanzas.length !== 1) throw headerError("a password is not the only way to open the file");
      const { salt, logN } = decodeStanza(stanza);
      const key = await stretch(password, salt, logN);
      return openFileKey(key, stanza.body);
    },
  };
}

function decodeStanza({ args, body }: Stanza): { salt: Buffer; logN: number } {
  const [, saltText, logNText] = args;
  if (args.length !== 3 || saltText === undefined || logNText === undefined || body.length !== 32) {
    throw headerError("a scrypt stanza has the wrong parts");
  }
  const salt = Buffer.from(saltText, "base64");
  if (salt.length !== 16 || encodeBase64(salt) !== saltText) throw headerError("a scrypt salt is malformed");
  const logN = Number(logNText);
  if (!/^[1-9][0-9]?$/.test(logNText) || logN > LIMITS.ageScryptLogN) {
    throw headerError("a scrypt work factor is malformed or too high");
  }
  return { salt, logN };
}

function openFileKey(key: Buffer, body: Uint8Array): Buffer | null {
  const decipher = createDecipheriv(CIPHER, key, ZERO_NONCE, { authTagLength: 16 });
  decipher.setAuthTag(body.subarray(16));
  const fileKey = decipher.update(body.subarray(0, 16));
  try {
    decipher.final();
    return fileKey;
  } catch {
    return null;
  }
}

function stretch(password: string, salt: Buffer, logN: number): Promise<Buffer> {
  const N = 2 ** logN;
  const options = { N, r: 8, p: 1, maxmem: N * 1024 + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password, Buffer.concat([LABEL, salt]), 32, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function encodeBase64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

function headerError(what: string): BackroomError {
  return new BackroomError("E_AGE_HEADER", what);
}
