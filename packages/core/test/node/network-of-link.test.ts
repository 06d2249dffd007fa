import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import type { ShareLink } from "../../src/link/link.ts";
import { openDataFolder, type DataFolder } from "../../src/node/data-folder.ts";
import type { Hooks } from "../../src/node/hooks.ts";
import { networkOfLink } from "../../src/node/network-of-link.ts";
import { saveNetwork } from "../../src/node/networks.ts";

const relayAt = (host: string) => ({ nodeKey: Buffer.alloc(32, 7), host, port: 4000 });

function linkWith(...hosts: string[]): ShareLink {
  return {
    kind: "read",
    networkId: 7,
    piecesRoot: Buffer.alloc(32, 1),
    packLength: 1,
    identity: Buffer.alloc(32, 2),
    sharerFingerprint: Buffer.alloc(16, 3),
    relays: hosts.map(relayAt),
  } as unknown as ShareLink;
}

function hooksThat(answer: boolean, asked: string[] = []): Hooks {
  const confirm = (_: string, flag: string) => {
    asked.push(flag);
    return Promise.resolve(answer);
  };
  return { progress() {}, note() {}, warn() {}, status() {}, event() {}, confirm, log: silentLog };
}

async function inFolder(run: (folder: DataFolder) => Promise<void>): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), "backroom-link-"));
  try {
    await run(await openDataFolder(root));
  } finally {
    await rm(root, { recursive: true });
  }
}

/** Would catch: a link made for one reader, with a relay of its maker's, that tells the maker the reader's address. */
test("in a network that is known, the relays in a link are not called on", () =>
  inFolder(async (folder) => {
    const known = { id: 7, name: "one", test: false, relays: [relayAt("8.8.8.8")], bootstrap: [] };
    await saveNetwork(folder, known);
    const { network, joinRelays } = await networkOfLink(folder, linkWith("9.9.9.9"), hooksThat(false));
    assert.deepEqual(joinRelays, []);
    assert.deepEqual(network.relays, known.relays);
  }));

/** Would catch: a link that makes this computer call on addresses of its maker's choice without a word. */
test("a link leads into another network only by consent, and leaves nothing behind without it", () =>
  inFolder(async (folder) => {
    const asked: string[] = [];
    await assert.rejects(networkOfLink(folder, linkWith("192.168.1.1"), hooksThat(false, asked)), (error) =>
      isBackroomError(error, "E_OTHER_NETWORK"),
    );
    assert.deepEqual(asked, ["--accept-link-relays"]);
    assert.deepEqual(await readdir(folder.networks), []);
    const { joinRelays } = await networkOfLink(folder, linkWith("9.9.9.9"), hooksThat(true));
    assert.equal(joinRelays.length, 1);
  }));

/** Would catch: one private address in a link that switches off the rules of real networks. */
test("a link makes a test network only if all its relays are at private addresses", () =>
  inFolder(async (folder) => {
    const isTest = async (...hosts: string[]): Promise<boolean> =>
      (await networkOfLink(folder, linkWith(...hosts), hooksThat(true))).network.test;
    assert.equal(await isTest("10.0.0.1", "10.0.0.2"), true);
    assert.equal(await isTest("10.0.0.1", "9.9.9.9"), false);
    assert.equal(await isTest("9.9.9.9"), false);
  }));
