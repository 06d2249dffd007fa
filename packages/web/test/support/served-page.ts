import path from "node:path";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { loadAssets } from "../../../daemon/src/http/load-assets.ts";
import { startTestServer, type TestServer } from "../../../daemon/test/support/http-server.ts";
import { memoryCatalogue } from "../../../daemon/test/support/memory-catalogue.ts";
import { transferOf as recordOf } from "../../../daemon/test/support/transfer-record.ts";
import { fakeApplication, type FakeApplication } from "./fake-application.ts";
import { pngOf } from "./png.ts";

const DIST = path.join(import.meta.dirname, "../../dist");

/** Of how many transfers there are files to be looked at. */
const SHOWN = 100;

/** The built page behind the daemon's own server, with its door and policy, in front of an application of known content. */
export interface ServedPage {
  readonly origin: string;
  /** Where files of shares come from: each is the same picture, 640 by 400. */
  readonly contentOrigin: string;
  readonly application: FakeApplication;
  /** An address that opens the page once. */
  readonly url: () => Promise<string>;
  /** The daemon goes away, and comes back at the same port. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly revokeAll: () => void;
}

export async function servePage(
  t: { after(close: () => Promise<void>): void },
  transfers: readonly Transfer[],
): Promise<ServedPage> {
  const catalogue = memoryCatalogue();
  const assets = await loadAssets(DIST);
  // The content port looks there whether there is such a transfer.
  for (const { id } of transfers.slice(0, SHOWN)) catalogue.put(recordOf(Number(id), { id }));
  let server: TestServer | undefined;
  let port = 0;
  let contentPort = 0;
  const application = fakeApplication(transfers, (event) => server?.events.publish(event));
  const start = async (): Promise<void> => {
    server = await startTestServer({
      assets,
      catalogue,
      content: { open: async () => contentOf(pngOf(640, 400)) },
      handlers: application.handlers,
      settings: { "page.port": port },
    });
    ({ port, contentPort } = server);
  };
  const stop = async (): Promise<void> => {
    await server?.close();
    server = undefined;
  };
  await start();
  t.after(async () => {
    await stop();
    catalogue.close();
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    contentOrigin: `http://127.0.0.1:${contentPort}`,
    application,
    url: async () => (await (server as TestServer).client.call("openPage")).url,
    stop,
    start,
    revokeAll: () => {
      for (const { id } of catalogue.tokens.list()) catalogue.tokens.remove(id);
    },
  };
}

function contentOf(bytes: Buffer) {
  return {
    size: bytes.length,
    mtimeMs: null,
    read: async function* (start: number, end: number) {
      yield bytes.subarray(start, end);
    },
  };
}
