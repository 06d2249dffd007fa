import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { relaysLoading, TestNetwork } from "../support/network.ts";
import { assertArrived, completed, makeFile, MIB, outFolder, share, startGet } from "../support/transfer.ts";

const TAMPERING = path.join(import.meta.dirname, "../support/tampering-relay.ts");

/**
 * Every relay flips one bit once, so whatever way a download takes, its circuit is destroyed there again and again.
 * Would catch: a flipped bit that gets through, and a download that does not outlive the circuits it was on.
 */
test("a download ends with the right files though every relay flips a bit once", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-tamper-"));
  const tampered = path.join(folder, "tampered");
  await writeFile(tampered, "");
  const network = await TestNetwork.start(8, relaysLoading(TAMPERING, { BACKROOM_TAMPERED: tampered }));
  try {
    const source = network.path("film.mp4");
    await makeFile(source, 24 * MIB);
    const { link } = await share(network, "sharer", source);
    await completed(await startGet(network, "downloader", link));
    await assertArrived(source, outFolder(network, "downloader"));
    const bits = (await readFile(tampered)).length;
    assert.ok(bits >= 3, `only ${bits} bits were flipped, so little was proved`);
    assert.equal(
      network.processes().filter(({ name }) => name.startsWith("relay")).length,
      8,
      "a relay ended",
    );
  } finally {
    await network.close();
    await rm(folder, { recursive: true, force: true });
  }
});
