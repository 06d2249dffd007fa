import childProcess, { type ForkOptions } from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns";
import { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import path from "node:path";

/**
 * Loaded by `--import` before a program, it notes who opens sockets and resolves names, libraries included, while the program runs. The
 * folder for its notes is the query of its own URL: `--import=file:///…/socket-watch.ts?/tmp/notes`.
 */
export interface SocketNote {
  readonly what: "connect" | "listen" | "datagram" | "resolve";
  /** The nearest caller that is not Node itself. */
  readonly by: string;
  /** The program's arguments, its own file first. */
  readonly program: readonly string[];
}

const folder = decodeURIComponent(new URL(import.meta.url).search.slice(1));

function note(what: SocketNote["what"]): void {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const stack = new Error("who calls").stack ?? "";
  Error.stackTraceLimit = before;
  const callers = stack.split("\n").slice(1);
  const by = callers.find((line) => !line.includes("node:") && !line.includes("socket-watch.ts")) ?? "";
  const line: SocketNote = { what, by: by.trim(), program: process.argv.slice(1) };
  appendFileSync(path.join(folder, `${process.pid}.jsonl`), `${JSON.stringify(line)}\n`);
}

type Function_ = (this: unknown, ...args: unknown[]) => unknown;

/** Puts `before` in front of a function of an object. */
function observe(target: object, name: string, before: (args: unknown[]) => void): void {
  const holder = target as Record<string, unknown>;
  const original = holder[name];
  if (typeof original !== "function") return;
  const observed: Function_ = function (this: unknown, ...args: unknown[]) {
    before(args);
    return (original as Function_).apply(this, args);
  };
  holder[name] = Object.assign(observed, original);
}

if (folder !== "") {
  observe(net.Socket.prototype, "connect", () => note("connect"));
  observe(net.Server.prototype, "listen", () => note("listen"));
  observe(dgram.Socket.prototype, "bind", () => note("datagram"));
  observe(dgram.Socket.prototype, "send", () => note("datagram"));
  const resolvers = [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype];
  for (const resolver of resolvers) {
    for (const name of Object.getOwnPropertyNames(resolver)) {
      if (!/^(lookup|resolve|reverse)/.test(name)) continue;
      // An address is no name: Node passes those through here as well, and asks nobody.
      observe(resolver, name, ([host]) => {
        if (typeof host === "string" && net.isIP(host) === 0) note("resolve");
      });
    }
  }
  // The DHT process is started with an empty environment and may not write: it is let into the notes, and nowhere else.
  observe(childProcess, "fork", (args) => {
    const options = (args[2] ?? {}) as ForkOptions;
    const watched = [`--import=${import.meta.url}`, `--allow-fs-write=${folder}`];
    args[2] = { ...options, execArgv: [...(options.execArgv ?? []), ...watched] };
  });
  syncBuiltinESMExports();
}
