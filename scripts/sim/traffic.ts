import { createHash } from "node:crypto";
import { isBackroomError } from "../../packages/core/src/base/errors.ts";
import { LIMITS } from "../../packages/core/src/base/limits.ts";
import type { ChannelIdentity, Dialer } from "../../packages/core/src/net/channel.ts";
import { FRAME, frameType } from "../../packages/core/src/net/frame.ts";
import {
  createMemoryNetwork,
  type Direction,
  type MemoryLink,
  type MemoryNetwork,
} from "../../packages/core/src/net/memory-channel.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What a connection was made for: relays' gossip and dial-backs, a member's way to its guard, or circuits between relays. */
export type Purpose = "gossip" | "member" | "circuits";

interface Counts {
  frames: number;
  bytes: number;
  /** Connections, each a TLS handshake. */
  dials: number;
  /** Handshakes of hops: CREATE frames. */
  hops: number;
}

/** One way, as between two homes some thousand kilometres apart. */
const DELAY_MS = 40;

/** The wires of a simulated network, with an account of what they carry. */
export class Traffic {
  readonly wires: MemoryNetwork;
  readonly #time: VirtualTime;
  readonly #purposes = new WeakMap<MemoryLink, Purpose>();
  #dialling: Purpose = "circuits";
  #counts = noCounts();
  readonly #log = createHash("sha256");
  /** Connections in the order in which they came up. */
  readonly #links = new Map<MemoryLink, number>();

  constructor(time: VirtualTime, random: SeededRandom) {
    this.#time = time;
    this.wires = createMemoryNetwork({ clock: time, random });
    this.wires.delayMs = DELAY_MS;
    this.wires.tap = (frame, direction, link) => {
      this.#count(frame, link);
      this.#note(frame, direction, link);
      return frame;
    };
  }

  get counts(): Readonly<Record<Purpose, Readonly<Counts>>> {
    return this.#counts;
  }

  /** What went over the wires so far: when, over which connection, which way, and of which type; equal for two runs that are the same. */
  logHash(): string {
    return this.#log.copy().digest("hex");
  }

  reset(): void {
    this.#counts = noCounts();
  }

  createDialer(purpose: Purpose, options: { networkId: number; identity?: ChannelIdentity }): Dialer {
    const dialer = this.wires.createDialer(options);
    return {
      dial: async (target) => {
        this.#counts[purpose].dials++;
        // The connection is made, and says HELLO, before the call returns.
        this.#dialling = purpose;
        try {
          return await dialer.dial(target);
        } catch (error) {
          // A computer that is off says nothing: whoever dials it waits.
          if (isBackroomError(error, "E_UNREACHABLE")) await this.#time.sleep(LIMITS.channelOpenMs);
          throw error;
        }
      },
    };
  }

  #note(frame: Buffer, direction: Direction, link: MemoryLink): void {
    const number = this.#links.get(link) ?? this.#links.size;
    this.#links.set(link, number);
    this.#log.update(`${this.#time.monotonicMs()} ${number} ${direction} ${frameType(frame)}\n`);
  }

  #count(frame: Buffer, link: MemoryLink): void {
    const known = this.#purposes.get(link);
    const counts = this.#counts[known ?? this.#dialling];
    if (known === undefined) this.#purposes.set(link, this.#dialling);
    counts.frames++;
    counts.bytes += frame.length;
    if (frameType(frame) === FRAME.create) counts.hops++;
  }
}

function noCounts(): Record<Purpose, Counts> {
  const none = (): Counts => ({ frames: 0, bytes: 0, dials: 0, hops: 0 });
  return { gossip: none(), member: none(), circuits: none() };
}
