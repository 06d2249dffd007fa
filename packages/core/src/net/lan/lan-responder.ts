import { createSocket } from "node:dgram";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { LAN_GROUP, LAN_PORT, isLanAddress, lanInterfaces } from "./lan-interfaces.ts";
import { decodeLanQuestion, encodeLanAnswer, type LanAnswer } from "./lan-message.ts";

export interface LanResponder {
  close(): void;
}

const WINDOW_MS = 1_000;
/** A computer that moves to another network answers there within the minute. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Answers those on the local network who ask for relays, each alone; says nothing unasked, and nothing of shares or of this computer's name. Never throws:
 * where the port or the group cannot be had, nobody is answered.
 */
export function answerLan(relay: Omit<LanAnswer, "id">, clock: Clock): LanResponder {
  const socket = createSocket({
    type: "udp4",
    // Other programs of this computer answer on the same port.
    reuseAddr: true,
    lookup: (host, _options, done) => done(null, host, 4),
  });
  const joined = new Set<string>();
  let cancel = (): void => {};
  let isOpen = true;
  let answers = 0;
  let sinceMs = -Infinity;

  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    cancel();
    socket.close();
  };

  function joinGroups(): void {
    const here = new Set(lanInterfaces());
    for (const address of joined) if (!here.has(address)) joined.delete(address);
    for (const address of here) {
      if (joined.has(address)) continue;
      joined.add(address);
      try {
        socket.addMembership(LAN_GROUP, address);
      } catch {
        // An interface that knows no groups, or one that has just gone.
      }
    }
    cancel = clock.after(LOOK_AGAIN_MS, joinGroups);
  }

  function mayAnswer(): boolean {
    const nowMs = clock.monotonicMs();
    if (nowMs - sinceMs >= WINDOW_MS) {
      sinceMs = nowMs;
      answers = 0;
    }
    return ++answers <= LIMITS.lanAnswersPerSecond;
  }

  socket.on("error", close);
  socket.on("message", (bytes, { address, port }) => {
    // Only neighbours: who asks from afar is somebody who wants a third one answered.
    if (port === 0 || !isLanAddress(address)) return;
    const id = decodeLanQuestion(bytes);
    if (id === undefined || !mayAnswer()) return;
    socket.send(encodeLanAnswer({ id, ...relay }), port, address, () => {});
  });
  socket.bind(LAN_PORT, "0.0.0.0", joinGroups);
  return { close };
}
