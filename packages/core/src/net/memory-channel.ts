import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import type { Channel, ChannelIdentity, Dialer, Endpoint, Listener } from "./channel.ts";
import { openChannel, type Carrier, type ChannelDeps } from "./frame-channel.ts";
import { EXPORTER_BYTES } from "./hello.ts";

/**
 * Channels inside one process, for tests and the simulation: the real frames, HELLOs and keepalives over queues instead of TLS.
 * With a given clock and randomness a run repeats itself. With no delay frames arrive as microtasks, so everything that a call
 * sets off has happened by the next turn of the event loop.
 */
export interface MemoryNetwork {
  /** Frames take this long from now on. */
  delayMs: number;
  /** Sees every frame on its way, HELLOs included: gives what is to arrive, or undefined to lose it. */
  tap: ((frame: Buffer, direction: Direction, link: MemoryLink) => Buffer | undefined) | undefined;
  /** What a connection made from now on goes over at each of its ends, say a line with a delay of its own; `direction` is that of what the end writes. */
  line: ((carrier: Carrier, direction: Direction, link: MemoryLink) => Carrier) | undefined;
  /** The connections that are up. */
  readonly links: ReadonlySet<MemoryLink>;
  /** Answers to dials of its node key or, where an endpoint is given, of that endpoint only. Raises E_PORT_IN_USE. */
  listen(options: MemoryListenOptions, onChannel: (channel: Channel) => void): Listener;
  createDialer(options: MemoryDialOptions): Dialer;
}

/** `forward` is from who dialled to who was dialled. */
export type Direction = "forward" | "backward";

export interface MemoryLink {
  /** The node key of the listener. */
  readonly listenerKey: Buffer;
  /** Breaks the connection: both ends see E_CHANNEL. */
  kill(): void;
}

export interface MemoryDialOptions {
  readonly networkId: number;
  readonly identity?: ChannelIdentity;
  /** This node's own clock, where it differs from the network's. */
  readonly clock?: Clock;
}

export interface MemoryListenOptions {
  readonly networkId: number;
  readonly identity: ChannelIdentity;
  readonly clock?: Clock;
  readonly endpoint?: Endpoint;
}

export function createMemoryNetwork(deps: ChannelDeps): MemoryNetwork {
  const listeners = new Map<string, { accept(carrier: Carrier): void; key: Buffer }>();
  const links = new Set<MemoryLink>();
  const network: MemoryNetwork = {
    delayMs: 0,
    tap: undefined,
    line: undefined,
    links,
    listen({ networkId, identity, endpoint, clock = deps.clock }, onChannel) {
      const key = identity.nodeKeys.publicBytes;
      const name = endpoint === undefined ? key.toString("hex") : nameOf(endpoint);
      if (listeners.has(name)) throw new BackroomError("E_PORT_IN_USE", "somebody listens there already");
      const accepted = new Set<Channel>();
      const accept = (carrier: Carrier): void => {
        openChannel(carrier, { initiator: false, networkId, identity }, { ...deps, clock }).then(
          (channel) => {
            accepted.add(channel);
            onChannel(channel);
          },
          () => {},
        );
      };
      listeners.set(name, { accept, key });
      return {
        port: endpoint?.port ?? 0,
        close() {
          listeners.delete(name);
          for (const channel of accepted) channel.close();
          return Promise.resolve();
        },
      };
    },
    createDialer: ({ networkId, identity, clock = deps.clock }) => ({
      async dial({ nodeKey, endpoints }) {
        const names = [
          ...endpoints.map(nameOf),
          ...(nodeKey === undefined ? [] : [Buffer.from(nodeKey).toString("hex")]),
        ];
        const listener = names.map((name) => listeners.get(name)).find((found) => found !== undefined);
        if (listener === undefined) throw new BackroomError("E_UNREACHABLE", "nobody listens there");
        const [near, far] = connect(network, links, listener.key, deps);
        listener.accept(far);
        return openChannel(
          near,
          { initiator: true, networkId, identity, expectedKey: nodeKey },
          { ...deps, clock },
        );
      },
    }),
  };
  return network;
}

function nameOf(endpoint: Endpoint): string {
  return `${endpoint.host} ${endpoint.port}`;
}

function connect(
  network: MemoryNetwork,
  links: Set<MemoryLink>,
  listenerKey: Buffer,
  deps: ChannelDeps,
): [Carrier, Carrier] {
  const exporter = deps.random.bytes(EXPORTER_BYTES);
  const link: MemoryLink = {
    listenerKey,
    kill() {
      const error = new BackroomError("E_CHANNEL", "the connection was cut");
      near.end(error);
      far.end(error);
    },
  };
  const near = new MemoryCarrier(exporter, "forward", { network, links, link, clock: deps.clock });
  const far = new MemoryCarrier(exporter, "backward", { network, links, link, clock: deps.clock });
  near.peer = far;
  far.peer = near;
  links.add(link);
  const line = network.line ?? ((carrier: Carrier) => carrier);
  return [line(near, "forward", link), line(far, "backward", link)];
}

interface Shared {
  readonly network: MemoryNetwork;
  readonly links: Set<MemoryLink>;
  readonly link: MemoryLink;
  readonly clock: Clock;
}

/** One end. What it writes lies in its own queue until the peer takes it, so a peer that pauses holds it back. */
class MemoryCarrier implements Carrier {
  queuedBytes = 0;
  peer: MemoryCarrier | undefined;
  readonly exporter: Buffer;
  readonly #direction: Direction;
  readonly #shared: Shared;
  #handlers: Parameters<Carrier["start"]>[0] | undefined;
  #paused = true;
  #ended = false;
  /** On their way: a frame or, last of all, the end. */
  readonly #queue: { readonly frame: Buffer | undefined; arrived: boolean }[] = [];

  constructor(exporter: Buffer, direction: Direction, shared: Shared) {
    this.exporter = exporter;
    this.#direction = direction;
    this.#shared = shared;
  }

  start(handlers: Parameters<Carrier["start"]>[0]): void {
    this.#handlers = handlers;
  }

  write(frame: Buffer): void {
    if (this.#ended) return;
    const { tap } = this.#shared.network;
    const tapped = tap === undefined ? frame : tap(frame, this.#direction, this.#shared.link);
    if (tapped !== undefined) this.#send(tapped);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(() => this.peer?.flush());
  }

  close(abrupt: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#shared.links.delete(this.#shared.link);
    if (abrupt) {
      this.#queue.length = 0;
      this.queuedBytes = 0;
    }
    this.#send(undefined);
  }

  /** The other side, or the network, ended it. */
  end(error?: BackroomError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#shared.links.delete(this.#shared.link);
    this.#handlers?.onEnd(error);
  }

  #send(frame: Buffer | undefined): void {
    const parcel = { frame, arrived: false };
    this.#queue.push(parcel);
    this.queuedBytes += frame?.length ?? 0;
    const arrive = (): void => {
      parcel.arrived = true;
      this.flush();
    };
    if (this.#shared.network.delayMs === 0) queueMicrotask(arrive);
    else this.#shared.clock.after(this.#shared.network.delayMs, arrive);
  }

  /** Hands over what has arrived, in order, as long as the peer takes it. */
  flush(): void {
    const { peer } = this;
    if (peer === undefined) return;
    let shrank = false;
    while (!peer.#paused && !peer.#ended && this.#queue[0]?.arrived === true) {
      const { frame } = this.#queue.shift() as { frame: Buffer | undefined };
      this.queuedBytes -= frame?.length ?? 0;
      shrank = true;
      if (frame === undefined) peer.end();
      else peer.#handlers?.onBytes(frame);
    }
    if (shrank && !this.#ended) this.#handlers?.onWritten();
  }
}
