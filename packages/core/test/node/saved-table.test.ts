import assert from "node:assert/strict";
import { utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import type { Network } from "../../src/directory/network.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import { PROVEN } from "../../src/directory/table.ts";
import { formatInvite } from "../../src/link/invite.ts";
import { openDataFolder, type DataFolder } from "../../src/node/data-folder.ts";
import { hasNewInvite, joinNetwork, readNetwork } from "../../src/node/networks.ts";
import { cachedRelays, openTable, saveTable, tableFile } from "../../src/node/saved-table.ts";
import { NETWORK, seededRandom, signedInfo, tableWith } from "../directory/fixtures.ts";
import { withFolder } from "../store/temporary.ts";

const DAY_MS = 24 * 3_600_000;
const network: Network = { ...NETWORK, name: "test", relays: [], bootstrap: [] };
const random = seededRandom(1);
const infoAt = (n: number) => signedInfo({ endpoints: [{ host: `8.${n}.8.8`, port: 9 }] });

async function withDataFolder(run: (folder: DataFolder) => Promise<void>): Promise<void> {
  await withFolder(async (root) => run(await openDataFolder(root)));
}

test("relays of weeks ago are still called on to join, the ones that were dialled first, though no path leads through them", async () => {
  // Would catch a member that comes back from a holiday and knows nobody.
  await withDataFolder(async (folder) => {
    const { table, clock } = tableWith();
    const infos = [1, 2, 3, 4].map(infoAt);
    for (const info of infos) table.add(info, namedSource("a"));
    const [, , dialled] = infos;
    if (dialled !== undefined) table.add(dialled, PROVEN);
    await saveTable(folder, network, table);

    clock.advance(10 * DAY_MS);
    assert.equal((await openTable(folder, network, { clock, random })).size, 0);
    const cached = await cachedRelays(folder, network, { clock, random });
    assert.equal(cached.length, 4);
    assert.deepEqual(cached[0]?.nodeKey, dialled?.nodeKey);
    // An empty table, as after days without a network, does not take their place.
    await saveTable(folder, network, tableWith().table);
    assert.equal((await cachedRelays(folder, network, { clock, random })).length, 4);

    clock.advance(21 * DAY_MS);
    assert.deepEqual(await cachedRelays(folder, network, { clock, random }), []);
    await writeFile(tableFile(folder, network), "damaged");
    assert.deepEqual(await cachedRelays(folder, network, { clock, random }), []);
  });
});

test("an invite is new when it names somebody whom the invites before did not, until the member has joined", async () => {
  await withDataFolder(async (folder) => {
    const relay = (n: number) => ({ nodeKey: infoAt(n).nodeKey, host: `8.${n}.8.8`, port: 9 });
    const first = [relay(1)];
    const inviteOf = (relays: typeof first) =>
      formatInvite({ networkId: network.id, test: false, name: "test", relays, bootstrap: [] });
    const join = async (relays: typeof first): Promise<boolean> => {
      await joinNetwork({ dataFolder: folder.root, invite: inviteOf(relays) });
      return hasNewInvite(folder, network);
    };
    assert.equal(await join(first), false, "the first joining needs no mark: there are no guards yet");
    const { table } = tableWith();
    table.add(infoAt(5), PROVEN);
    await saveTable(folder, network, table);
    const later = new Date(Date.now() + 5_000);
    await utimes(tableFile(folder, network), later, later);
    assert.equal(await join(first), false);
    const file = path.join(folder.networks, "00000007.json");
    assert.equal(await join([relay(2)]), false);
    const latest = new Date(Date.now() + 10_000);
    await utimes(file, latest, latest);
    assert.equal(await hasNewInvite(folder, network), true);
    assert.equal((await readNetwork(folder, network.id))?.relays.length, 2);
    await utimes(tableFile(folder, network), latest, latest);
    assert.equal(await hasNewInvite(folder, network), false);
  });
});
