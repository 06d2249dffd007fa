import { isBackroomError } from "../../packages/core/src/base/errors.ts";
import { LIMITS } from "../../packages/core/src/base/limits.ts";
import type { ChannelIdentity, Dialer } from "../../packages/core/src/net/channel.ts";
import { FRAME, frameType } from "../../packages/core/src/net/frame.ts";
import {
  createMemoryNetwork,
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

  constructor(time: VirtualTime, random: SeededRandom) {
    this.#time = time;
    this.wires = createMemoryNetwork({ clock: time, random });
    this.wires.delayMs = DELAY_MS;
    this.wires.tap = (frame, _direction, link) => {
      this.#count(frame, link);
      return frame;
    };
  }

  get counts(): Readonly<Record<Purpose, Readonly<Counts>>> {
    return this.#counts;
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
