/**
 * The DHT process: the library, its socket and nothing else. It is started with an empty environment and without the right to write
 * files or start programs, holds no key, and ends with the node that started it. When the library throws, this process ends and no other.
 */
import { systemClock } from "../../base/clock.ts";
import { GuardedSocket } from "./guarded-socket.ts";
import { MainlineNode } from "./mainline-node.ts";
import type { FromChild, ToChild } from "./messages.ts";

process.on("disconnect", () => process.exit(0));
process.once("message", (message) => {
  const first = message as ToChild;
  if (first.kind === "start") serve(first);
});

function say(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

function serve({
  testNetwork,
  contacts,
  announcePort,
  port,
  host,
}: Extract<ToChild, { kind: "start" }>): void {
  const socket = new GuardedSocket({ testNetwork, clock: systemClock });
  const node = new MainlineNode({ socket, contacts, announcePort });
  let isListening = false;
  // From the socket itself: the library takes an address that is not ours for a warning.
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (!isListening) say({ kind: "refused", inUse: error.code === "EADDRINUSE" });
  });
  node.listen(port, host, (bound) => {
    isListening = true;
    say({ kind: "listening", port: bound });
  });
  process.on("message", (message) => {
    const order = message as ToChild;
    node.refreshContacts();
    if (order.kind === "contacts") {
      node.addContacts(order.contacts);
    } else if (order.kind === "lookup") {
      node.lookup(order.hash, (found) => say({ kind: "done", job: order.job, found, takenCount: 0 }));
    } else if (order.kind === "announce") {
      node.announce(order.hash, (takenCount) => say({ kind: "done", job: order.job, found: [], takenCount }));
    }
  });
}
