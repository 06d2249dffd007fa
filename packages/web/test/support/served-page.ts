import path from "node:path";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { loadAssets } from "../../../daemon/src/http/load-assets.ts";
import { startTestServer, type TestServer } from "../../../daemon/test/support/http-server.ts";
import { memoryCatalogue } from "../../../daemon/test/support/memory-catalogue.ts";
import { fakeApplication, type FakeApplication } from "./fake-application.ts";

const DIST = path.join(import.meta.dirname, "../../dist");

/** The built page behind the daemon's own server, with its door and policy, in front of an application of known content. */
export interface ServedPage {
  readonly origin: string;
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
  let server: TestServer | undefined;
  let port = 0;
  const application = fakeApplication(transfers, (event) => server?.events.publish(event));
  const start = async (): Promise<void> => {
    server = await startTestServer({
      assets,
      catalogue,
      handlers: application.handlers,
      settings: { "page.port": port },
    });
    ({ port } = server);
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
    application,
    url: async () => (await (server as TestServer).client.call("openPage")).url,
    stop,
    start,
    revokeAll: () => {
      for (const { id } of catalogue.tokens.list()) catalogue.tokens.remove(id);
    },
  };
}
