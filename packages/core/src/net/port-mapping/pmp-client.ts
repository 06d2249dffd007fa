import { createSocket, type Socket } from "node:dgram";
import { BackroomError, isBackroomError } from "../../base/errors.ts";
import {
  decodePcpResponse,
  decodePmpResponse,
  encodePcpRequest,
  encodePmpRequest,
  PMP_PORT,
  type Granted,
  type MapRequest,
} from "./nat-pmp.ts";

/** When a request is sent again, and when it is given up: RFC 6886 begins with 250 ms too, and waits far longer for nobody. */
const SEND_AT_MS = [0, 250, 750];
const GIVE_UP_MS = 1_750;
/** Answers looked at, of one request: whoever is at the gateway's address cannot keep us busy. */
const MOST_ANSWERS = 16;

/**
 * Asks a gateway for a port by PCP, and by NAT-PMP where it speaks only that. What comes from another address than the gateway's the kernel
 * does not let through, since the socket is connected. Raises E_UNREACHABLE when nothing that fits comes back, E_REFUSED.
 */
export async function askPmpGateway(
  gateway: string,
  request: MapRequest,
  nonce: Buffer,
  port: number = PMP_PORT,
): Promise<Granted> {
  const socket = await connectedSocket(gateway, port);
  try {
    const ownHost = socket.address().address;
    const byPcp = await exchange(socket, encodePcpRequest(request, nonce, ownHost), (bytes) =>
      decodePcpResponse(bytes, request, nonce),
    ).catch((error: unknown) => {
      // An old gateway may drop what it does not know.
      if (isBackroomError(error, "E_UNREACHABLE")) return "other version" as const;
      throw error;
    });
    if (byPcp !== "other version") return byPcp;
    return await exchange(socket, encodePmpRequest(request), (bytes) => decodePmpResponse(bytes, request));
  } finally {
    socket.close();
  }
}

/** Sends until an answer decodes. What does not is passed over, but for a refusal: a late answer to another request may come before. */
function exchange<T>(socket: Socket, request: Buffer, decode: (bytes: Buffer) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    const onMessage = (bytes: Buffer): void => {
      if (++answers > MOST_ANSWERS) return;
      try {
        const value = decode(bytes);
        end(() => resolve(value));
      } catch (error) {
        if (!isBackroomError(error) || error.code === "E_REFUSED") end(() => reject(error));
      }
    };
    const onError = (cause: Error): void => end(() => reject(unreachable(cause)));
    const timers = SEND_AT_MS.map((ms) => setTimeout(() => socket.send(request, () => {}), ms));
    timers.push(setTimeout(() => end(() => reject(unreachable())), GIVE_UP_MS));
    socket.on("message", onMessage).on("error", onError);

    function end(settle: () => void): void {
      for (const timer of timers) clearTimeout(timer);
      socket.off("message", onMessage).off("error", onError);
      // Errors of what is still under way are nobody's business any more.
      socket.on("error", () => {});
      settle();
    }
  });
}

function connectedSocket(gateway: string, port: number): Promise<Socket> {
  // node:dgram hands addresses to `lookup` too; nothing is ever resolved.
  const socket = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, 4) });
  return new Promise((resolve, reject) => {
    socket.once("error", (cause) => reject(unreachable(cause)));
    socket.connect(port, gateway, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

function unreachable(cause?: unknown): BackroomError {
  return new BackroomError("E_UNREACHABLE", "no gateway answers", { cause });
}
