import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { createHome } from "../support/home.ts";
import { TestNetwork } from "../support/network.ts";
import { assertArrived, completed, makeFolders, outFolder, share } from "../support/transfer.ts";

const NAMES = ["relay 1", "relay 2", "relay 3", "sharer", "joiner"];

/** Would catch: a search that finds nobody, or that is made unasked; relays that do not answer, or whose answer cannot be dialled. */
test("a member that knows nobody joins through the relays of its house, by IPv4 or IPv6, and only when told to look there", async (t) => {
  if (!havePartners(t, "netns")) return;
  // Both at once, since most of the time goes to waiting.
  await Promise.all([joinsAtHome(4), joinsAtHome(6)]);
});

async function joinsAtHome(family: 4 | 6): Promise<void> {
  const home = createHome(NAMES, ["--lan"], family);
  let network: TestNetwork | undefined;
  try {
    network = await TestNetwork.start(3, home);
    const file = network.path("film.mp4");
    await writeFile(file, randomBytes(100_000));
    await makeFolders(network, "joiner");
    const { link } = await share(network, "sharer", file);
    await network.nameTo("joiner");
    const get = ["get", "-o", outFolder(network, "joiner"), link];
    const alone = network.runStranger("joiner", get);
    assert.equal(await alone.ended(), 4);
    assert.equal(alone.latest("error")?.["code"], "E_NO_RELAYS");
    await completed(network.runStranger("joiner", ["--lan", ...get]));
    await assertArrived(file, outFolder(network, "joiner"));
  } finally {
    await network?.close();
    home.close();
  }
}
