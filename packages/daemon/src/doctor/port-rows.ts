import { createServer } from "node:net";
import { systemCode } from "@backroom/core/base/system-code.ts";
import { row, type DoctorRow } from "./rows.ts";
import type { RelayNow } from "./network-rows.ts";

/** Whether a program could listen there now: undefined, or the system's code that says why not. */
export type TryPort = (host: string, port: number) => Promise<string | undefined>;

export async function relayPortRow(
  port: number,
  relay: RelayNow | undefined,
  tryPort: TryPort,
): Promise<DoctorRow> {
  const check = "relay port";
  if (relay?.state === "running" && relay.port !== null)
    return row(check, "ok", `listening at ${relay.port}`);
  if (port === 0) return row(check, "ok", "a free one is taken when the relay starts");
  const found = await tryPort("0.0.0.0", port);
  // Without a daemon it may be a relay of this program, in a terminal.
  return portRow(check, port, found, relay === undefined ? "warn" : "fail", "relay.port");
}

/** `page`: where a running daemon serves it; undefined where none runs. */
export async function pagePortRow(
  where: {
    readonly isOn: boolean;
    readonly host: string;
    readonly port: number;
    /** Otherwise another one is taken instead. */
    readonly isFixed: boolean;
  },
  page: string | null | undefined,
  tryPort: TryPort,
): Promise<DoctorRow> {
  const check = "page port";
  if (!where.isOn) return row(check, "ok", "the page is off: page.enabled");
  if (typeof page === "string") return row(check, "ok", `the page is served at ${page}`);
  if (page === null) {
    return row(check, "warn", "the page is on, and not served", {
      fix: "restart the daemon: backroom daemon stop, then start",
    });
  }
  if (where.port === 0) return row(check, "ok", "a free one is taken when the daemon starts");
  return portRow(
    check,
    where.port,
    await tryPort(where.host, where.port),
    where.isFixed ? "fail" : "warn",
    "page.port",
  );
}

function portRow(
  check: string,
  port: number,
  found: string | undefined,
  status: "warn" | "fail",
  key: string,
): DoctorRow {
  if (found === undefined) return row(check, "ok", `${port} is free`);
  const fix = `choose another: backroom config set ${key} PORT; 0 takes a free one`;
  if (found === "EADDRINUSE") return row(check, status, `${port} is taken by another program`, { fix });
  if (found === "EACCES") return row(check, "fail", `${port} is not for ordinary programs`, { fix });
  return row(check, "fail", `nothing can listen at ${port}: ${found}`, { fix });
}

/** Listens for a moment, at TCP, and answers nobody. */
export const tryListening: TryPort = (host, port) =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => resolve(systemCode(error) ?? "unknown error"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
