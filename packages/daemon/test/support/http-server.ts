import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient, type Client } from "@backroom/api/client/client.ts";
import { nodeTransport } from "@backroom/api/client/node-transport.ts";
import { ROUTES, type CallContext, type Handlers, type RouteName } from "@backroom/api/routes.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";
import { systemClock, type Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { systemMachine } from "@backroom/core/node/machine.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import type { ShareContent } from "../../src/engine/content.ts";
import { EventHub } from "../../src/http/event-hub.ts";
import { startServer, type RunningServer } from "../../src/http/server.ts";
import { NO_PAGE_ASSETS, type Assets } from "../../src/http/static-assets.ts";
import { newId } from "../../src/new-id.ts";
import type { SettingValues } from "../../src/settings/settings.ts";
import { hashSecret, newSecret } from "../../src/tokens.ts";
import { memoryCatalogue } from "./memory-catalogue.ts";

export interface TestServerOptions {
  /** Others raise E_NO_TRANSFER, which shows that they were reached. */
  readonly handlers?: Partial<Handlers>;
  readonly settings?: Partial<SettingValues>;
  /** Whether somebody chose the page's port; yes where it is left out. */
  readonly isPortChosen?: boolean;
  readonly content?: ShareContent;
  readonly assets?: Assets;
  readonly clock?: Clock;
  /** Outlasts the server, as a catalogue on disk does. */
  readonly catalogue?: Catalogue;
}

/** A daemon's server as it is, in front of handlers that note who called them. */
export interface TestServer {
  readonly running: RunningServer;
  readonly events: EventHub;
  readonly catalogue: Catalogue;
  readonly folder: string;
  readonly socketPath: string;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  readonly contentPort: number;
  /** Over the socket. */
  readonly client: Client;
  readonly called: { readonly name: RouteName; readonly input: unknown; readonly context: CallContext }[];
  newToken(scopes: readonly Scope[], expiresMs?: number): string;
  close(): Promise<void>;
}

const PAGE: Partial<SettingValues> = {
  "page.enabled": true,
  "page.host": "127.0.0.1",
  "page.port": 0,
  "page.hosts": "",
  "page.tls-cert": null,
  "page.tls-key": null,
  "page.behind-proxy": false,
  "content.port": 0,
  "downloads.folder": "/home/ann/Downloads",
};

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = systemClock, settings = {}, assets = NO_PAGE_ASSETS } = options;
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-http-"));
  const catalogue = options.catalogue ?? memoryCatalogue(clock);
  const events = new EventHub({ clock, random: systemRandom });
  const called: TestServer["called"] = [];
  const handlers = Object.fromEntries(
    Object.keys(ROUTES).map((name) => [
      name,
      async (input: unknown, context: CallContext) => {
        called.push({ name: name as RouteName, input, context });
        const handler = options.handlers?.[name as RouteName] as
          | ((input: unknown, context: CallContext) => Promise<unknown>)
          | undefined;
        if (handler !== undefined) return await handler(input, context);
        throw new BackroomError("E_NO_TRANSFER", "the handler was reached");
      },
    ]),
  ) as unknown as Handlers;
  const socketPath = path.join(folder, "daemon.sock");
  const values = { ...PAGE, ...settings } as SettingValues;
  let running: RunningServer;
  try {
    running = await startServer({
      context: {
        folder: await openDataFolder(folder),
        catalogue,
        settings: {
          get: (key) => values[key],
          entries: () => [{ key: "page.port", origin: options.isPortChosen === false ? "default" : "file" }],
        } as Parameters<typeof startServer>[0]["context"]["settings"],
        machine: { ...systemMachine, clock },
        log: silentLog,
      },
      events,
      handlers,
      content: options.content ?? {
        open: () => Promise.reject(new BackroomError("E_NO_TRANSFER", "the content was reached")),
      },
      metrics: async () => [{ name: "backroom_test", help: "a test", type: "gauge", values: [{ value: 1 }] }],
      assets,
      endpoint: { socketPath, secret: null },
      version: "0.0.0",
    });
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  const port = Number(/:(\d+)\/$/.exec(running.page ?? "")?.[1] ?? 0);
  const client = createClient(nodeTransport({ socketPath, secret: null }));
  return {
    running,
    events,
    catalogue,
    folder,
    socketPath,
    host: `127.0.0.1:${port}`,
    port,
    contentPort: running.contentPort,
    client,
    called,
    newToken: (scopes, expiresMs) => {
      const secret = newSecret(systemRandom);
      const id = newId(systemRandom);
      catalogue.tokens.put({
        id,
        name: id,
        scopes,
        browser: null,
        hash: hashSecret(secret),
        createdMs: clock.nowMs(),
        usedMs: null,
        expiresMs: expiresMs ?? null,
      });
      return secret;
    },
    close: async () => {
      await running.close();
      if (options.catalogue === undefined) catalogue.close();
      await rm(folder, { recursive: true });
    },
  };
}

export interface RawAnswer {
  /** 0 where the connection was closed without an answer. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends exactly these bytes, and reads until the other side closes or `until` is in what came. */
export function sendRaw(
  at: { readonly port: number } | { readonly path: string },
  bytes: string | Buffer,
  until?: string,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = "port" in at ? connect(at.port, "127.0.0.1") : connect(at.path);
    let text = "";
    const end = (): void => {
      socket.destroy();
      const at = text.indexOf("\r\n\r\n");
      const head = at < 0 ? text : text.slice(0, at);
      resolve({
        status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
        head: head.toLowerCase(),
        body: at < 0 ? "" : text.slice(at + 4),
      });
    };
    socket.setTimeout(20_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (until !== undefined && text.includes(until)) end();
    });
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", (error) => {
      // A server that refuses may reset the connection: what it said before counts.
      if (text === "" && !("code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE")))
        reject(error);
    });
    socket.write(bytes);
  });
}

/** A request whose connection ends with the answer. `headers` as they stand on the wire. */
export function requestText(line: string, headers: readonly string[], body = ""): string {
  return [`${line} HTTP/1.1`, ...headers, "Connection: close", "", body].join("\r\n");
}
