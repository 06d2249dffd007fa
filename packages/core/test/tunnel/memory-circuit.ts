import { BackroomError } from "../../src/base/errors.ts";
import type {
  Circuit,
  CircuitStream,
  ServedCircuit,
  Service,
  ServiceHandler,
  StreamHandlers,
} from "../../src/circuit/stream.ts";
import { streamPair, type MemoryStream } from "./memory-streams.ts";

let ids = 0;
const soon = { add: (step: () => void) => queueMicrotask(step) };
type Accept = (stream: CircuitStream, args: Buffer) => StreamHandlers | undefined;

/** Both ends of a circuit without the relays in between: for what a circuit's users do, whatever a circuit is made of. */
export function memoryCircuit(services: Partial<Record<Service, ServiceHandler>>): Circuit {
  const streams = new Set<MemoryStream>();
  const listeners: (() => void)[] = [];
  let alive = true;

  function open(args: Uint8Array, handlers: StreamHandlers, accept: Accept): CircuitStream {
    if (!alive) throw new BackroomError("E_CIRCUIT", "the circuit is gone");
    const [near, far] = streamPair(soon);
    near.start(handlers);
    for (const stream of [near, far]) streams.add(stream);
    soon.add(() => {
      if (!alive) return;
      const accepted = accept(far, Buffer.from(args));
      if (accepted === undefined) return near.fail(new BackroomError("E_REFUSED", "refused"));
      far.start(accepted);
    });
    return near;
  }

  const served: ServedCircuit = {
    id: ++ids,
    get alive() {
      return alive;
    },
    openStream: (_, args, handlers) =>
      open(args, handlers, (stream, tag) => circuit.onIncoming?.(stream, tag)),
    onDestroyed: (listener) => void listeners.push(listener),
  };
  const circuit: Circuit = {
    hopCount: 3,
    get alive() {
      return alive;
    },
    openStream: (service, args, handlers) =>
      open(args, handlers, (stream, bytes) => services[service]?.(stream, bytes, served)),
    onIncoming: undefined,
    onDestroyed: undefined,
    destroy() {
      if (!alive) return;
      alive = false;
      const error = new BackroomError("E_CIRCUIT", "the circuit was closed");
      for (const stream of streams) stream.fail(error);
      for (const listener of listeners) listener();
      circuit.onDestroyed?.(undefined);
    },
  };
  return circuit;
}
