import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { TestNetwork } from "../support/network.ts";
import { backroom } from "../support/program.ts";
import { assertArrived, completed, makeFolders, outFolder, share } from "../support/transfer.ts";

const KEPT = /^current$|\.json$|\.table$/;

/** What a member's network file says, changed. */
async function changeNetwork(network: TestNetwork, name: string, change: object): Promise<void> {
  const folder = path.join(network.dataFolder(name), "networks");
  for (const file of await readdir(folder)) {
    if (!KEPT.test(file)) await rm(path.join(folder, file), { recursive: true });
    if (!file.endsWith(".json")) continue;
    const text = await readFile(path.join(folder, file), "utf8");
    await writeFile(path.join(folder, file), JSON.stringify({ ...JSON.parse(text), ...change }));
  }
}

/**
 * Would catch: relays that do not announce themselves; a member that asks the DHT unasked, or cannot join by it; one that forgets its relays
 * with the end of a run; invites that name nobody when the table is all that is left.
 */
test("a member that knows a DHT node joins by consent, later from its cache alone, and can invite others", async () => {
  const network = await TestNetwork.start(3);
  try {
    const file = network.path("film.mp4");
    await writeFile(file, randomBytes(100_000));
    await makeFolders(network, "first", "second", "third");
    const { link } = await share(network, "sharer", file);
    const relay = network.processes().find(({ name }) => name === "relay 1");
    const port = Number(relay?.latest("ready")?.["port"]);
    const get = (out: string): string[] => ["get", "-o", outFolder(network, out), link];

    await network.nameTo("joiner");
    await changeNetwork(network, "joiner", { relays: [], dht: [{ host: "127.0.0.1", port }] });
    const unasked = network.runStranger("joiner", get("first"));
    assert.equal(await unasked.ended(), 4);
    assert.equal(unasked.latest("error")?.["code"], "E_NO_RELAYS");
    await completed(network.runStranger("joiner", [...get("first"), "--accept-dht"]));
    await assertArrived(file, outFolder(network, "first"));

    await changeNetwork(network, "joiner", { relays: [], dht: [] });
    await completed(network.runStranger("joiner", get("second")));
    await assertArrived(file, outFolder(network, "second"));

    const start = ["--json", "--data"];
    const made = await backroom([...start, network.dataFolder("joiner"), "invite"]);
    const { invite, relayCount } = made.lines().at(-1) ?? {};
    assert.equal(relayCount, 3);
    const joined = await backroom([
      ...start,
      network.dataFolder("friend"),
      "network",
      "join",
      String(invite),
    ]);
    const { id } = joined.lines().at(-1) ?? {};
    await completed(network.runStranger("friend", get("third")));
    const again = await backroom([...start, network.dataFolder("friend"), "invite", String(id)]);
    assert.equal(again.status, 0);
    assert.equal(
      (await backroom([...start, network.dataFolder("friend"), "invite", "12345678"])).code,
      "E_NO_NETWORK",
    );
  } finally {
    await network.close();
  }
});
