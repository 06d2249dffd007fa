import { u16be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { ipBytes } from "../base/ip-address.ts";
import type { Endpoint } from "./channel.ts";

/** A user name and password of RFC 1929: 1 to 255 bytes each. */
export interface ProxyCredentials {
  readonly username: string;
  readonly password: string;
}

export interface Socks5Options {
  /** An IP address, never a name: what is not asked for by name is not looked up by anybody. */
  readonly endpoint: Endpoint;
  readonly credentials: ProxyCredentials;
  /** Without them this side does not go on; otherwise it takes a proxy that asks for none, too. */
  readonly mustAuthenticate: boolean;
}

const VERSION = 5;
const METHOD_NONE = 0;
const METHOD_PASSWORD = 2;
const CONNECT = 1;
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 4: 16 };
const ADDRESS_NAME = 3;
/** RFC 1928, 6: what the proxy says of the place rather than of itself: failure, network, host, refused, too far, address type. */
const PLACE_FAILURES = new Set([1, 3, 4, 5, 6, 8]);

/**
 * The client's side of SOCKS 5 (RFC 1928, 1929) for one CONNECT, without a socket: give it what came, send what it says.
 *
 *     → 05 n methods                   ← 05 method
 *     → 01 n user n password           ← 01 status                       where the proxy chose method 2
 *     → 05 01 00 type address port     ← 05 reply 00 type address port
 *
 * The proxy speaks only when it was asked, so what comes beyond an answer is refused, and nothing longer than one answer is ever kept. Raises
 * E_PROXY for what is no SOCKS 5 and for refusals of this side, E_UNREACHABLE where the proxy could not reach the place.
 */
export class Socks5Client {
  readonly #options: Socks5Options;
  #received = Buffer.alloc(0);
  #awaits: "method" | "status" | "reply" = "method";
  #isOpen = false;

  constructor(options: Socks5Options) {
    this.#options = options;
  }

  /** The stream to the place is open: from here on all bytes are its. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  greeting(): Buffer {
    const methods = this.#options.mustAuthenticate ? [METHOD_PASSWORD] : [METHOD_NONE, METHOD_PASSWORD];
    return Buffer.from([VERSION, methods.length, ...methods]);
  }

  /** What to send next, if anything; then look at `isOpen`. */
  push(bytes: Uint8Array): Buffer | undefined {
    if (this.#isOpen) throw malformed("answered twice");
    this.#received = Buffer.concat([this.#received, bytes]);
    const length = this.#awaits === "reply" ? replyLength(this.#received) : 2;
    // Also a place that speaks first: TLS does not, and what it said would be lost.
    if (this.#received.length > (length ?? Infinity)) throw malformed("says more than it was asked");
    if (length === undefined || this.#received.length < length) return undefined;
    const answer = this.#received;
    this.#received = Buffer.alloc(0);
    if (this.#awaits === "method") return this.#onMethod(answer);
    return this.#awaits === "status" ? this.#onStatus(answer) : this.#onReply(answer);
  }

  #onMethod(answer: Buffer): Buffer {
    if (answer[0] !== VERSION) throw malformed("does not answer in SOCKS 5");
    const [, method] = answer;
    if (method === METHOD_NONE && !this.#options.mustAuthenticate) return this.#request();
    if (method !== METHOD_PASSWORD) {
      throw new BackroomError("E_PROXY", "the proxy takes none of the ways to log in that are offered", {
        fix: "give it a user name and password: socks5://user:password@address:port",
      });
    }
    this.#awaits = "status";
    const { username, password } = this.#options.credentials;
    return Buffer.concat([Buffer.from([1]), text(username), text(password)]);
  }

  #onStatus(answer: Buffer): Buffer {
    if (answer[0] !== 1) throw malformed("does not answer in SOCKS 5");
    if (answer[1] !== 0) {
      throw new BackroomError("E_PROXY", "the proxy refuses the user name or password", {
        fix: "check them in the proxy's settings",
      });
    }
    return this.#request();
  }

  #request(): Buffer {
    this.#awaits = "reply";
    const { host, port } = this.#options.endpoint;
    const ip = ipBytes(host);
    if (ip === undefined) throw new BackroomError("E_UNREACHABLE", "an endpoint is no IP address");
    return Buffer.concat([Buffer.from([VERSION, CONNECT, 0, ip.length === 4 ? 1 : 4]), ip, u16be(port)]);
  }

  #onReply(answer: Buffer): undefined {
    const reply = answer[1] as number;
    if (PLACE_FAILURES.has(reply)) {
      throw new BackroomError("E_UNREACHABLE", "the proxy could not reach an endpoint");
    }
    if (reply !== 0) throw new BackroomError("E_PROXY", "the proxy refuses to connect to a relay");
    this.#isOpen = true;
  }
}

/** As far as it can be told already: the bound address may be of any of the three kinds, and is not looked at. */
function replyLength(received: Buffer): number | undefined {
  const [version, , reserved, type, nameLength] = received;
  if (version !== undefined && version !== VERSION) throw malformed("does not answer in SOCKS 5");
  if (reserved !== undefined && reserved !== 0) throw malformed("does not answer in SOCKS 5");
  if (type === undefined) return undefined;
  const fixed = ADDRESS_BYTES[type];
  if (fixed !== undefined) return 4 + fixed + 2;
  if (type !== ADDRESS_NAME) throw malformed("names an address of an unknown kind");
  return nameLength === undefined ? undefined : 5 + nameLength + 2;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function malformed(how: string): BackroomError {
  return new BackroomError("E_PROXY", `the proxy ${how}`);
}
