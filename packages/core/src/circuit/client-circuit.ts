import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { release } from "../base/memory.ts";
import { FRAME, makeFrame } from "../net/frame.ts";
import type { ChannelPool } from "./channel-pool.ts";
import {
  COMMAND,
  decodeControl,
  DESTROY_REASON,
  encodeExtend,
  makeDataFrame,
  writeControl,
  writeData,
  type Command,
  type ControlMessage,
  type DestroyReason,
} from "./control.ts";
import { clientHello, PROTOCOL_ID, SERVER_REPLY_BYTES } from "./handshake.ts";
import { ClientLayers, HopLayers, MAX_HOPS, MINE } from "./layer.ts";
import type { Leg, LegEvents } from "./leg.ts";
import {
  SERVICE,
  type Circuit,
  type CircuitStream,
  type HopTarget,
  type Service,
  type StreamHandlers,
} from "./stream.ts";
import { StreamHub, type HubPort } from "./stream-hub.ts";

export interface CircuitDeps {
  readonly channels: ChannelPool;
  readonly clock: Clock;
  /** For tests that cannot send 65,536 frames; both ends must agree. */
  readonly ratchetFrames?: number;
}

/**
 * Builds a circuit of one to four hops, one hop after the other (PROTOCOL 6). Raises E_CIRCUIT when a hop cannot be reached, refuses
 * or takes too long, E_HANDSHAKE when one cannot prove its keys, and what the dialer raises for the first hop. `onHop` is called after each
 * hop that joined, so that a caller knows which one did not.
 */
export async function buildCircuit(
  deps: CircuitDeps,
  hops: readonly HopTarget[],
  onHop: () => void = () => {},
): Promise<Circuit> {
  const [first] = hops;
  if (first === undefined || hops.length > MAX_HOPS) {
    throw new BackroomError("E_INTERNAL", "a circuit has one to four hops");
  }
  const circuit = new ClientCircuit(deps);
  const timeout = Promise.withResolvers<never>();
  const cancel = deps.clock.after(LIMITS.circuitBuildMs, () => {
    timeout.reject(new BackroomError("E_CIRCUIT", "building the circuit took too long"));
  });
  try {
    const mux = await Promise.race([deps.channels.get(first), timeout.promise]);
    circuit.attach(mux.open());
    for (const hop of hops) {
      await Promise.race([circuit.extend(hop), timeout.promise]);
      onHop();
    }
    return circuit;
  } catch (error) {
    circuit.destroy();
    throw error;
  } finally {
    cancel();
  }
}

/** The client's end: all layers, the streams, and the extension under way. */
class ClientCircuit implements Circuit, LegEvents, HubPort {
  onIncoming: Circuit["onIncoming"] = undefined;
  onDestroyed: Circuit["onDestroyed"] = undefined;
  readonly #deps: CircuitDeps;
  readonly #layers = new ClientLayers();
  readonly #hub: StreamHub;
  readonly #startedMs: number;
  #leg: Leg | undefined;
  #pending: PromiseWithResolvers<Buffer> | undefined;
  #destroyed = false;
  #cancelLife = (): void => {};

  constructor(deps: CircuitDeps) {
    this.#deps = deps;
    const credits = { clock: deps.clock, section: deps.channels.credits.section() };
    this.#hub = new StreamHub(this, "client", credits);
    this.#startedMs = deps.clock.monotonicMs();
  }

  get hopCount(): number {
    return this.#layers.hopCount;
  }

  get alive(): boolean {
    return !this.#destroyed;
  }

  attach(leg: Leg): void {
    this.#leg = leg;
    leg.start(this, this.#hub);
    this.#cancelLife = this.#deps.clock.after(LIMITS.circuitLifeMs, () => {
      this.#end(DESTROY_REASON.done, new BackroomError("E_CIRCUIT", "the circuit is too old"));
    });
  }

  /** Adds a hop: CREATE for the first, EXTEND through the circuit so far for the others. */
  async extend(target: HopTarget): Promise<void> {
    const position = this.#layers.hopCount + 1;
    const hello = clientHello({
      protocolId: PROTOCOL_ID.hop,
      nodeId: target.nodeKey,
      onionKey: target.onionKey,
      position,
    });
    const pending = Promise.withResolvers<Buffer>();
    this.#pending = pending;
    if (position === 1) this.#leg?.sendCreate(hello.message);
    else this.sendControl(COMMAND.extend, 0, encodeExtend(target.info, hello.message));
    const reply = await pending.promise;
    this.#layers.add(new HopLayers(hello.finish(reply), this.#deps.ratchetFrames));
  }

  openStream(service: Service, args: Uint8Array, handlers: StreamHandlers): CircuitStream {
    if (this.#destroyed) throw new BackroomError("E_CIRCUIT", "the circuit is gone");
    if (this.#deps.clock.monotonicMs() - this.#startedMs > LIMITS.circuitFreshMs) {
      throw new BackroomError("E_CIRCUIT", "the circuit is too old for new streams");
    }
    return this.#hub.open(service, args, handlers);
  }

  destroy(): void {
    this.#end(DESTROY_REASON.done, undefined);
  }

  // --- from the leg ---

  onCreated(body: Buffer): void {
    this.#answer(body.subarray(0, SERVER_REPLY_BYTES));
  }

  onData(frame: Buffer): void {
    this.#guarded(() => this.#hub.receiveData(this.#layers.open(frame)));
    this.#leg?.release();
  }

  onControl(frame: Buffer): void {
    this.#guarded(() => this.#receiveControl(decodeControl(this.#layers.open(frame).subarray(1))));
  }

  onGone(): void {
    this.#end(DESTROY_REASON.gone, new BackroomError("E_CIRCUIT", "a relay of the circuit went away"));
  }

  #receiveControl(message: ControlMessage): void {
    if (message.command === COMMAND.extended) {
      if (message.payload.length !== SERVER_REPLY_BYTES) {
        throw new BackroomError("E_FRAME", "a hop answered with the wrong length");
      }
      this.#answer(message.payload);
    } else if (message.command === COMMAND.extendFailed) {
      this.#refuse();
    } else {
      this.#hub.receiveControl(message);
    }
  }

  #answer(reply: Buffer): void {
    if (this.#pending === undefined) throw new BackroomError("E_FRAME", "a hop answered what nobody asked");
    const pending = this.#pending;
    this.#pending = undefined;
    pending.resolve(reply);
  }

  #refuse(): void {
    const position = this.#layers.hopCount + 1;
    this.#end(
      DESTROY_REASON.done,
      new BackroomError("E_CIRCUIT", `hop ${position} of the circuit could not be reached`),
    );
  }

  // --- for the streams ---

  accept(stream: CircuitStream, service: number, args: Buffer): StreamHandlers | undefined {
    return service === SERVICE.incoming ? this.onIncoming?.(stream, args) : undefined;
  }

  wake(): void {
    this.#leg?.wake();
  }

  sealData(stream: number, payload: Buffer): Buffer {
    const frame = makeDataFrame(payload.length);
    const range = this.#layers.ownRange(frame.length);
    writeData(frame, range, stream, payload);
    release(payload);
    frame[range.start] = MINE;
    this.#layers.sealOwn(frame);
    return frame;
  }

  sendControl(command: Command, stream: number, payload: Buffer): void {
    const leg = this.#leg;
    if (leg === undefined || !leg.alive) return;
    if (leg.controlWaiting >= LIMITS.controlFrames) {
      return this.#end(DESTROY_REASON.done, new BackroomError("E_CIRCUIT", "the circuit is stuck"));
    }
    const frame = makeFrame(FRAME.control, 0);
    const range = this.#layers.ownRange(frame.length);
    writeControl(frame, range, { command, stream, payload });
    frame[range.start] = MINE;
    this.#layers.sealOwn(frame);
    leg.sendControl(frame);
  }

  /** Whatever a hop sends that is not right ends the circuit. */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (cause) {
      if (!(cause instanceof BackroomError) || cause.code === "E_INTERNAL") throw cause;
      const error = new BackroomError("E_CIRCUIT", "a relay of the circuit broke the protocol", { cause });
      this.#end(DESTROY_REASON.broken, error);
    }
  }

  #end(reason: DestroyReason, error: BackroomError | undefined): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#cancelLife();
    this.#leg?.destroy(reason);
    const cause = error ?? new BackroomError("E_CIRCUIT", "the circuit was closed");
    this.#pending?.reject(cause);
    this.#hub.close(cause);
    this.onDestroyed?.(error);
  }
}
