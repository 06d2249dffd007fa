import type { Socket } from "node:net";
import type { ByteDuplex, DuplexHandlers } from "../../src/base/duplex.ts";

/** A TCP socket to a partner program on loopback, as sessions see their tunnels. */
export function socketDuplex(socket: Socket): ByteDuplex {
  socket.pause();
  return {
    start: (handlers: DuplexHandlers) => {
      socket.on("data", (bytes: Buffer) => handlers.onData(bytes));
      socket.on("drain", () => handlers.onDrain());
      socket.on("error", () => {});
      socket.on("close", () => handlers.onClose());
      socket.resume();
    },
    write: (bytes) => socket.destroyed || socket.writableEnded || socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => socket.destroySoon(),
  };
}
