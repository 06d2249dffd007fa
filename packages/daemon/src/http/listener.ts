import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { chmod, rm } from "node:fs/promises";
import { createHash, timingSafeEqual } from "node:crypto";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { systemCode } from "@backroom/core/base/system-code.ts";
import { getRequestListener } from "@hono/node-server";
import { checkDoor, type DoorRules } from "./door.ts";
import type { Environment } from "./environment.ts";
import { PROBLEM_TYPE, problemOf } from "./problem.ts";

export interface ListenerOptions {
  readonly at: { readonly path: string } | { readonly host: string; readonly port: number };
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Asked for each request: ports, and with them hosts, are known only once one listens. */
  readonly rules: () => DoorRules;
  /** On everything that is answered. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Over the socket: who comes is the owner; with a secret, whoever proves to know it. */
  readonly owner?: { readonly secret: string | null } | undefined;
  readonly app: { fetch(request: Request, environment: Environment): Response | Promise<Response> };
  /** For tests: instead of LIMITS.apiHeadMs. */
  readonly headMs?: number;
}

export interface HttpListener {
  /** 0 for a socket. */
  readonly port: number;
  /** Lets answers under way go out for a moment, then cuts them off. */
  close(): Promise<void>;
}

const CLOSE_MS = 1_000;

/** Serves an application behind the door. Raises E_PORT_IN_USE, E_LISTEN, E_SETTING for a certificate that is none. */
export async function listenHttp(options: ListenerOptions): Promise<HttpListener> {
  const serve = getRequestListener(
    (request, { incoming, outgoing }) =>
      options.app.fetch(request, {
        incoming: incoming as IncomingMessage,
        outgoing: outgoing as ServerResponse,
        isOwner: options.owner !== undefined,
      }),
    // The framework's own requests and responses, not in place of everybody's.
    { overrideGlobalObjects: false },
  );
  const refused = new WeakSet<object>();
  const server = serverFor(options, (incoming, outgoing) => {
    // What followed a refused request on the same connection is whatever its sender wants us to take for a request.
    if (refused.has(incoming.socket)) return;
    for (const [name, value] of Object.entries(options.headers())) outgoing.setHeader(name, value);
    try {
      const head = {
        method: incoming.method ?? "",
        target: incoming.url ?? "",
        rawHeaders: incoming.rawHeaders,
      };
      checkDoor(head, options.rules());
      if (options.owner !== undefined) checkOwner(incoming, options.owner.secret);
    } catch (error) {
      refused.add(incoming.socket);
      refuse(incoming, outgoing, error);
      return;
    }
    void serve(incoming, outgoing);
  });
  server.maxConnections = LIMITS.apiConnections;
  // Uploads take as long as they take: bodies have deadlines of their own.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 10_000;
  await listening(server, options.at);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
        timer.unref();
      }),
  };
}

type AnyServer = ReturnType<typeof createServer> | ReturnType<typeof createTlsServer>;

function serverFor(
  { tls, headMs = LIMITS.apiHeadMs }: ListenerOptions,
  listener: RequestListener,
): AnyServer {
  const bounds = {
    maxHeaderSize: LIMITS.apiHeadBytes,
    headersTimeout: headMs,
    connectionsCheckingInterval: Math.ceil(headMs / 4),
    requireHostHeader: true,
    insecureHTTPParser: false,
    noDelay: true,
  };
  if (tls === undefined) return createServer(bounds, listener);
  try {
    return createTlsServer({ ...bounds, ...tls, minVersion: "TLSv1.2" }, listener);
  } catch (cause) {
    throw new BackroomError("E_SETTING", "the page's certificate and key cannot be used", {
      cause,
      why: "page.tls-cert and page.tls-key have to name a certificate and its key, both PEM",
    });
  }
}

/** The connection ends with it: nobody has to read the body of what was refused. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse, error: unknown): void {
  const problem = problemOf(error);
  outgoing.writeHead(problem.status, { "content-type": PROBLEM_TYPE, connection: "close" });
  outgoing.end(incoming.method === "HEAD" ? undefined : JSON.stringify(problem));
}

function checkOwner({ headers }: IncomingMessage, secret: string | null): void {
  if (secret === null) return;
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  // Digests, which are of one length whatever was sent.
  if (!timingSafeEqual(digest(headers.authorization ?? ""), digest(`Bearer ${secret}`))) {
    throw new BackroomError("E_ACCESS", "the secret of the daemon's pipe is not good");
  }
}

async function listening(server: AnyServer, at: ListenerOptions["at"]): Promise<void> {
  const isSocketFile = "path" in at && !at.path.startsWith("\\\\");
  // Left by a daemon that was killed. Another one cannot be listening: it would hold the folder's lock.
  if (isSocketFile) await rm(at.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: Error): void => {
      const code = systemCode(cause) === "EADDRINUSE" ? "E_PORT_IN_USE" : "E_LISTEN";
      reject(new BackroomError(code, "the daemon could not listen for its clients", { cause }));
    };
    server.once("error", onError);
    const onListening = (): void => {
      server.off("error", onError).on("error", () => {});
      resolve();
    };
    if (!isSocketFile) {
      server.listen(at, onListening);
      return;
    }
    // The socket is made in this very call, so there is no moment at which it is anybody's.
    const mask = process.umask(0o077);
    try {
      server.listen(at, onListening);
    } finally {
      process.umask(mask);
    }
  });
  if (isSocketFile) await chmod(at.path, 0o600);
}
