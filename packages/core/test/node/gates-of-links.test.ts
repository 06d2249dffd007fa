import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { openDataFolder, type DataFolder } from "../../src/node/data-folder.ts";
import { startDownload, type DownloadOptions } from "../../src/node/downloading.ts";
import { startHandingOut, type HandingOutOptions } from "../../src/node/handing-out.ts";
import { makeShareLink } from "../../src/node/share-link.ts";
import { plainInfos } from "../directory/fixtures.ts";
import { withFolder } from "../store/temporary.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { samplePack, storeOf } from "../swarm/fixtures.ts";

const relays = plainInfos(30);
const pack = samplePack(300_000);

type Begin = (parts: {
  readonly folder: DataFolder;
  readonly client: unknown;
  readonly link: unknown;
}) => Promise<{ close(): unknown }>;

const WAYS: readonly [string, Begin][] = [
  [
    "whoever hands out",
    async (parts) => {
      const store = await storeOf(pack);
      return startHandingOut({ ...parts, store, sharer: undefined, log: silentLog } as HandingOutOptions);
    },
  ],
  [
    "whoever hands out while fetching",
    async (parts) => {
      const store = await storeOf(pack, (piece) => piece === 0);
      const ended = new AbortController();
      const options = { ...parts, store, log: silentLog, signal: ended.signal, isPatient: true, seed: true };
      return startDownload(options as unknown as DownloadOptions);
    },
  ],
];

for (const [who, begin] of WAYS) {
  /** Would catch: a gate that sees, since a link names it for joining, who comes for the share that is found at it. */
  test(`${who} is at no gate that the link names, while there are others`, { timeout: 30_000 }, async () => {
    await withFolder(async (root) => {
      const asked = Promise.withResolvers<string[]>();
      const clock = new ManualClock();
      const client = {
        network: { id: 7 },
        guards: () => [],
        relays: () => relays,
        vet: () => assert.fail("no gate is kept"),
        machine: { clock, random: systemRandom },
        vouchesFor: () => true,
        open: ({ role }: { readonly role: string }, avoid: ReadonlySet<string>) => {
          if (role === "seeder") asked.resolve([...avoid].toSorted());
          return Promise.reject(new BackroomError("E_CIRCUIT", "none today"));
        },
      };
      const facts = {
        root: pack.info.root,
        length: pack.bytes.length,
        name: "a",
        fileBytes: 1,
        identity: undefined,
      };
      const link = makeShareLink(
        { ...facts, sharerFingerprint: Buffer.alloc(16) },
        client as unknown as Parameters<typeof makeShareLink>[1],
      );
      const running = await begin({ folder: await openDataFolder(root), client, link });
      const moving = setInterval(() => clock.advance(10_000), 1);
      try {
        assert.deepEqual(
          await asked.promise,
          link.relays.map(({ nodeKey }) => nodeKey.toString("hex")).toSorted(),
        );
      } finally {
        clearInterval(moving);
        await running.close();
      }
    });
  });
}
