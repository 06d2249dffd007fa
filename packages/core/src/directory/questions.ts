import type { Bencoded, BencodedDict } from "../base/bencode.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Endpoint } from "../net/channel.ts";
import { addressKey, decodeAddress, encodeAddress } from "./address.ts";
import { readInteger, readList } from "./fields.ts";
import type { RelayInfo, RelayInfoDecoder } from "./relay-info.ts";

/** A question of PROTOCOL 7.2 and its answer, over whatever carries them. Rejects when no answer comes, and with E_REFUSED for `{"e": …}`. */
export type Question = { readonly q: Uint8Array; readonly [field: string]: Bencoded };
export type Ask = (question: Question) => Promise<BencodedDict>;
/** `Ask` of a relay out of the table. The node opens, keeps and closes the circuit; a timeout is its business too. */
export type AskRelay = (relay: RelayInfo, question: Question) => Promise<BencodedDict>;

/** Why a service does not answer: the text of `{"e": …}`. */
export type Refusal = "bad" | "busy" | "refused" | "unreachable";

const text = (value: string) => Buffer.from(value, "latin1");

export const sampleQuestion = (count: number): Question => ({ q: text("sample"), n: count });
export const publishQuestion = (info: Uint8Array): Question => ({ q: text("publish"), i: info });
export const atQuestion = (endpoint: Endpoint): Question => ({ q: text("at"), a: encodeAddress(endpoint) });
export const gatesQuestion = (topicHash: Uint8Array): Question => ({ q: text("gates"), t: topicHash });

export const reachQuestion = (nodeKey: Uint8Array, port: number): Question => ({
  q: text("reach"),
  k: nodeKey,
  p: port,
});

export const refusal = (reason: Refusal): { e: Buffer } => ({ e: text(reason) });
export const infosAnswer = (infos: readonly RelayInfo[]): { r: Bencoded[] } => ({
  r: infos.map((info) => info.bytes),
});

/**
 * The infos of an answer `{"r": […]}`, at most `max`. Those that do not hold are left out: who passes them on need not have made them. Raises
 * E_DECODE for an answer of another form.
 */
function infosOf(answer: BencodedDict, max: number, decodeInfo: RelayInfoDecoder): RelayInfo[] {
  const infos: RelayInfo[] = [];
  for (const item of readList(answer, "r", max, "E_DECODE")) {
    if (!Buffer.isBuffer(item))
      throw new BackroomError("E_DECODE", "a list of relay infos holds something else");
    try {
      infos.push(decodeInfo(item));
    } catch (error) {
      if (!isBackroomError(error)) throw error;
    }
  }
  return infos;
}

/** Asks for a sample of a relay's table. */
export async function askSample(ask: Ask, decodeInfo: RelayInfoDecoder): Promise<RelayInfo[]> {
  const answer = await ask(sampleQuestion(LIMITS.sampleInfos));
  return infosOf(answer, LIMITS.sampleInfos, decodeInfo);
}

/** Asks which relay is at an address; an answer that names another one is none. */
export async function askAt(
  ask: Ask,
  endpoint: Endpoint,
  decodeInfo: RelayInfoDecoder,
): Promise<RelayInfo | undefined> {
  const [info] = infosOf(await ask(atQuestion(endpoint)), 1, decodeInfo);
  const wanted = addressKey(endpoint);
  return info?.endpoints.some((claimed) => addressKey(claimed) === wanted) === true ? info : undefined;
}

/** What a relay saw of whoever asked `reach`: its address, with the port that was asked about, and whether its key answered there. */
export interface Reached {
  readonly endpoint: Endpoint;
  readonly reached: boolean;
}

/** Asks a relay, over a channel of one's own, to dial back. Raises E_DECODE for an answer of another form, or about another port. */
export async function askReach(ask: Ask, nodeKey: Uint8Array, port: number): Promise<Reached> {
  const answer = await ask(reachQuestion(nodeKey, port));
  const address = answer.get("a");
  const reached = readInteger(answer, "r", 1, "E_DECODE") === 1;
  if (!Buffer.isBuffer(address)) throw new BackroomError("E_DECODE", "an address is no string");
  const endpoint = decodeAddress(address);
  if (endpoint.port !== port) throw new BackroomError("E_DECODE", "an answer is about another port");
  return { endpoint, reached };
}

/** A client's question to a scout: which relays are gates of the topic. Relays that do not say that they are gates are left out. */
export async function askGates(
  ask: Ask,
  topicHash: Uint8Array,
  decodeInfo: RelayInfoDecoder,
): Promise<RelayInfo[]> {
  const infos = infosOf(await ask(gatesQuestion(topicHash)), LIMITS.scoutGates, decodeInfo);
  return infos.filter((info) => info.gate);
}
