import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { TestNetwork } from "./network.ts";
import type { Packet } from "./pcap.ts";
import { addressSecret, captureSecrets, linkSecrets, relaySecrets, secretsIn } from "./secrets.ts";

/** The logs of a network that is watched, in a folder of their own. */
export class LabLogs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Options of the program for a member: everything is logged. */
  options(name: string): string[] {
    return ["--log-level", "debug", "--log-file", path.join(this.#folder, `${name.replace(" ", "-")}.log`)];
  }

  /** Searches them all for what was seen on the wire, and for what belongs to the relays and to a share. */
  async assertSilent(
    network: TestNetwork,
    packets: readonly Packet[],
    known: {
      readonly relays: readonly string[];
      /** Where something was shared. */
      readonly sharer?: string;
      readonly link?: string;
      /** That were not seen on the wire. */
      readonly addresses?: readonly string[];
    },
  ): Promise<void> {
    const files = readdirSync(this.#folder).filter((file) => file.endsWith(".log"));
    const texts = files.map((file) => readFileSync(path.join(this.#folder, file), "utf8"));
    // What each of them logs of its channels and circuits is what could tell somebody.
    const isProof = texts.every((text) => text.includes('"level":"debug"'));
    assert.ok(files.length > known.relays.length && isProof, "too little was logged to prove anything");
    const logs = texts.join("");
    const relays = await Promise.all(known.relays.map((name) => relaySecrets(network.dataFolder(name))));
    const { link, sharer } = known;
    const share =
      link === undefined || sharer === undefined ? [] : await linkSecrets(link, network.dataFolder(sharer));
    const unseen = (known.addresses ?? []).map(addressSecret);
    assert.deepEqual(
      secretsIn(logs, [...captureSecrets(packets), ...unseen, ...share, ...relays.flat()]),
      [],
    );
  }
}
