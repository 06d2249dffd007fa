import { createSocket } from "node:dgram";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { LAN_GROUPS, LAN_PORT, isLanAddress, lanInterfaces, type LanFamily } from "./lan-interfaces.ts";
import { decodeLanQuestion, encodeLanAnswer, type LanAnswer } from "./lan-message.ts";

export interface LanResponder {
  close(): void;
}

const WINDOW_MS = 1_000;
/** A computer that moves to another network answers there within the minute. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Answers those on the local network who ask for relays, by IPv4 and by IPv6, each alone; says nothing unasked, and nothing of shares or of this computer's name. Never throws:
 * where the port or the group cannot be had, nobody is answered.
 */
export function answerLan(relay: Omit<LanAnswer, "id">, clock: Clock): LanResponder {
  let answers = 0;
  let sinceMs = -Infinity;

  /** Whoever asks by both families gets no more by it. */
  function mayAnswer(): boolean {
    const nowMs = clock.monotonicMs();
    if (nowMs - sinceMs >= WINDOW_MS) {
      sinceMs = nowMs;
      answers = 0;
    }
    return ++answers <= LIMITS.lanAnswersPerSecond;
  }

  const answerTo = (question: Uint8Array): Buffer | undefined => {
    const id = decodeLanQuestion(question);
    return id === undefined || !mayAnswer() ? undefined : encodeLanAnswer({ id, ...relay });
  };
  const both = ([4, 6] as const).map((family) => answerBy(family, answerTo, clock));
  return {
    close() {
      for (const close of both) close();
    },
  };
}

/** Until the returned function is called. */
function answerBy(
  family: LanFamily,
  answerTo: (question: Uint8Array) => Buffer | undefined,
  clock: Clock,
): () => void {
  const socket = createSocket({
    type: `udp${family}`,
    // The other family has a socket of its own.
    ipv6Only: family === 6,
    // Other programs of this computer answer on the same port.
    reuseAddr: true,
    lookup: (host, _options, done) => done(null, host, family),
  });
  const joined = new Set<string>();
  let cancel = (): void => {};
  let isOpen = true;

  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    cancel();
    socket.close();
  };

  function joinGroups(): void {
    const here = new Set(lanInterfaces().flatMap((one) => (one.family === family ? [one.name] : [])));
    for (const name of joined) if (!here.has(name)) joined.delete(name);
    for (const name of here) {
      if (joined.has(name)) continue;
      joined.add(name);
      try {
        socket.addMembership(LAN_GROUPS[family], name);
      } catch {
        // An interface that knows no groups, or one that has just gone.
      }
    }
    cancel = clock.after(LOOK_AGAIN_MS, joinGroups);
  }

  socket.on("error", close);
  socket.on("message", (bytes, { address, port }) => {
    // Only neighbours: who asks from afar is somebody who wants a third one answered.
    const answer = port === 0 || !isLanAddress(address) ? undefined : answerTo(bytes);
    if (answer !== undefined) socket.send(answer, port, address, () => {});
  });
  socket.bind(LAN_PORT, family === 4 ? "0.0.0.0" : "::", joinGroups);
  return close;
}
