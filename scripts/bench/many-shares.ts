import { randomBytes } from "node:crypto";
import { systemClock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { formatLink } from "@backroom/core/link/link.ts";
import { sharerKeyFromSeed } from "@backroom/core/link/sharer-key.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { currentNetwork } from "@backroom/core/node/networks.ts";
import type { StoredState, TransferRecord } from "../../packages/daemon/src/catalogue/catalogue.ts";
import { openCatalogue } from "../../packages/daemon/src/catalogue/open-catalogue.ts";
import { newRecord } from "../../packages/daemon/src/engine/new-record.ts";
import { newId } from "../../packages/daemon/src/new-id.ts";

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Puts so many shares of the current network into the catalogue of a data folder that no daemon uses: their links are whole, their packs are not there. */
export async function fillCatalogue(dataFolder: string, count: number, state: StoredState): Promise<void> {
  const network = await currentNetwork(await openDataFolder(dataFolder));
  const { catalogue } = openCatalogue(dataFolder, { clock: systemClock, log: silentLog });
  try {
    const nowMs = Date.now() - DAY_MS;
    catalogue.together(() => {
      for (let index = 0; index < count; index++) catalogue.put(shareOf(network.id, index, nowMs, state));
    });
  } finally {
    catalogue.close();
  }
}

/** Gives every transfer of a catalogue that state. */
export function changeStates(dataFolder: string, state: StoredState): void {
  const { catalogue } = openCatalogue(dataFolder, { clock: systemClock, log: silentLog });
  try {
    const { transfers } = catalogue.list({ limit: 1_000_000 });
    catalogue.together(() => {
      for (const record of transfers) catalogue.put({ ...record, state });
    });
  } finally {
    catalogue.close();
  }
}

function shareOf(networkId: number, index: number, nowMs: number, state: StoredState): TransferRecord {
  const seed = randomBytes(32);
  const piecesRoot = randomBytes(32);
  const name = `Holiday ${index}, the long way home.mp4`;
  const packLength = 900 * MIB + index;
  const createdMs = nowMs - (index * DAY_MS) / 100;
  return {
    ...newRecord(newId(systemRandom), Math.floor(createdMs)),
    role: "share",
    state,
    name,
    kind: "read",
    fileCount: 1,
    size: 890 * MIB,
    packLength,
    doneBytes: packLength,
    uploadedBytes: index * MIB,
    finishedMs: Math.floor(createdMs) + 60_000,
    root: piecesRoot.toString("hex"),
    link: formatLink({
      kind: "read",
      networkId,
      piecesRoot,
      packLength,
      sharerFingerprint: sharerKeyFromSeed(seed).fingerprint,
      identity: randomBytes(32),
      name,
      filesBytes: 890 * MIB,
      relays: [],
    }),
    sharerSeed: seed.toString("hex"),
    inputs: [`/home/person/Videos/${name}`],
    seed: true,
    wait: true,
  };
}
