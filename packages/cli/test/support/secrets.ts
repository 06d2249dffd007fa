import { readdirSync } from "node:fs";
import { homedir, hostname } from "node:os";
import path from "node:path";
import { encodeBase32 } from "@backroom/core/base/base32.ts";
import { systemClock } from "@backroom/core/base/clock.ts";
import { ipBytes } from "@backroom/core/base/ip-address.ts";
import { secretBytes } from "@backroom/core/crypto/keys.ts";
import { parseLink, topicSecret } from "@backroom/core/link/link.ts";
import { identityFromSecret } from "@backroom/core/pack/age-keys.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { openRelayKeys } from "@backroom/core/node/relay-keys.ts";
import { readShareRecord } from "@backroom/core/node/share-record.ts";
import { torrentInfo } from "@backroom/core/torrent/info.ts";
import type { KnownLease } from "@backroom/core/tunnel/lease-book.ts";
import { deriveEpoch, epochsAt } from "@backroom/core/tunnel/topic.ts";
import type { Packet } from "./pcap.ts";

/** Linux' ip_local_port_range. */
const FIRST_CHOSEN_PORT = 32_768;

/** Something that no log may say, in every form in which a program could say it. */
export interface Secret {
  readonly what: string;
  readonly forms: readonly Form[];
}

interface Form {
  /** In lower case, as it is looked for. */
  readonly text: string;
  /** Not as a part of a longer number, address or run of hex digits. */
  readonly isWhole: boolean;
}

/** Which secrets a text holds: each once, with the form that was found. Case does not matter. */
export function secretsIn(text: string, secrets: readonly Secret[]): string[] {
  const searched = text.toLowerCase();
  return secrets.flatMap(({ what, forms }) => {
    const found = forms.find((form) => holds(searched, form));
    return found === undefined ? [] : [`${what}, as ${found.text}`];
  });
}

function holds(searched: string, form: Form): boolean {
  for (let at = searched.indexOf(form.text); at >= 0; at = searched.indexOf(form.text, at + 1)) {
    const end = at + form.text.length;
    const [before, after] = [searched.slice(Math.max(0, at - 2), at), searched.slice(end, end + 2)];
    if (!form.isWhole || (!/[0-9a-f]$|\d\.$/.test(before) && !/^[0-9a-f]|^\.\d/.test(after))) return true;
  }
  return false;
}

/** A text, and as JSON, hex or base64 would carry it. */
export function textSecret(what: string, text: string): Secret {
  const bytes = Buffer.from(text);
  const escaped = JSON.stringify(text).slice(1, -1);
  return { what, forms: forms([text, escaped, bytes.toString("hex"), ...base64Forms(bytes)]) };
}

/** Bytes in all usual spellings, as little of them as a program would show to be short. */
export function bytesSecret(what: string, bytes: Buffer): Secret {
  const first = bytes.subarray(0, 8);
  const hex = [...first].map((byte) => byte.toString(16).padStart(2, "0"));
  const lists = [",", ", ", " "].map((gap) => [...first].join(gap));
  const spellings = [hex.join("").slice(0, 8), encodeBase32(first).slice(0, 8), ...base64Forms(first)];
  return { what, forms: forms([...spellings, ...lists, hex.join(" "), hex.join(":")]) };
}

/** An address as text, in hex and in decimal; IPv6 also with all its groups. */
export function addressSecret(address: string): Secret {
  const bytes = ipBytes(address);
  if (bytes === undefined) throw new Error(`${address} is no address`);
  const hex = bytes.toString("hex");
  const groups = (hex.match(/.{4}/g) ?? []).join(":");
  const texts = bytes.length === 4 ? [address, hex, [...bytes].join(",")] : [address, hex, groups];
  return { what: `address ${address}`, forms: forms(texts, true) };
}

/** A port: that number and no longer one, however it is marked. */
export function portSecret(port: number): Secret {
  return { what: `port ${port}`, forms: forms([String(port)], true) };
}

/** All addresses in a capture, and the ports that the system chose: lower ones are numbers that a log may have for another reason. */
export function captureSecrets(packets: readonly Packet[]): Secret[] {
  const addresses = new Set(packets.flatMap(({ source, target }) => [source, target]));
  const ports = new Set(packets.flatMap(({ sourcePort, targetPort }) => [sourcePort, targetPort]));
  return [
    ...[...addresses].map(addressSecret),
    ...[...ports].filter((port) => port >= FIRST_CHOSEN_PORT).map(portSecret),
  ];
}

/** What this computer is called, and where its user and the test keep their files. A name that might be an English word is left out. */
export function placeSecrets(...folders: readonly string[]): Secret[] {
  const names = [hostname()].filter((name) => !/^[a-z]{1,8}$/i.test(name));
  return [...names, homedir(), ...folders].map((text) => textSecret(`place ${text}`, text));
}

/** All that a link says and all that follows from it, its name aside, and what its sharer keeps besides. */
export async function linkSecrets(text: string, sharerFolder: string): Promise<Secret[]> {
  const link = parseLink(text);
  const share = { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint };
  const info = torrentInfo(link.piecesRoot, link.packLength);
  const record = await readShareRecord(await openDataFolder(sharerFolder), link);
  const epochs = epochsAt(share.topicSecret, systemClock.nowMs()).map((epoch) => deriveEpoch(share, epoch));
  const named: Record<string, Buffer | undefined> = {
    root: link.piecesRoot,
    infohash: info.infohash,
    "topic secret": share.topicSecret,
    "sharer's fingerprint": link.sharerFingerprint,
    "sharer's seed": record?.sharerSeed,
    identity: link.kind === "read" ? link.identity : undefined,
    ...Object.fromEntries(
      epochs.flatMap((keys) => [
        [`topic of ${keys.epoch}`, keys.topic],
        [`topic key of ${keys.epoch}`, keys.topicKeys.publicBytes],
        [`topic key's secret of ${keys.epoch}`, secretBytes(keys.topicKeys)],
        [`sealing key of ${keys.epoch}`, keys.sealingKey.export()],
        [`tunnel psk of ${keys.epoch}`, keys.tunnelPsk],
        [`commitment of ${keys.epoch}`, keys.commitment],
      ]),
    ),
  };
  const bytes = Object.entries(named).flatMap(([what, value]) =>
    value === undefined ? [] : [bytesSecret(what, value)],
  );
  const texts = [textSecret("link", text), textSecret("link's letters", text.slice(9, 40))];
  if (link.kind === "read")
    texts.push(textSecret("age identity", identityFromSecret(link.identity).identity));
  return [...bytes, ...texts];
}

/** What a lease says: tags, keys, relay infos. */
export function leaseSecrets({ lease, sealed }: KnownLease): Secret[] {
  return [
    bytesSecret("sealed lease", sealed),
    bytesSecret("lease key", lease.leaseKey),
    bytesSecret("tunnel key", lease.tunnelKey),
    ...lease.gates.flatMap(({ tag, info }) => [bytesSecret("tag", tag), bytesSecret("relay info", info)]),
  ];
}

/** The keys of a relay, public and secret, out of its data folder. */
export async function relaySecrets(dataFolder: string): Promise<Secret[]> {
  const { node, onion } = await openRelayKeys(await openDataFolder(dataFolder), systemClock);
  return [
    bytesSecret("node key", node.publicBytes),
    bytesSecret("node key's secret", secretBytes(node)),
    bytesSecret("onion key", onion.publicBytes),
    bytesSecret("onion key's secret", secretBytes(onion)),
  ];
}

/** The names of everything below a folder, which are those of packs and of people's files. */
export function nameSecrets(folder: string): Secret[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) =>
    textSecret(`file ${entry.name}`, entry.isFile() ? entry.name : path.join(entry.parentPath, entry.name)),
  );
}

/** In each of the three ways in which they can lie in what was encoded together with them; both alphabets. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64url");
    // The letters at both ends depend on what stands beside.
    const inside = text.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 8) / 6));
    return [inside, inside.replaceAll("-", "+").replaceAll("_", "/")];
  });
}

function forms(texts: readonly string[], isWhole = false): Form[] {
  return [...new Set(texts.map((text) => text.toLowerCase()))].map((text) => ({ text, isWhole }));
}
