import { encodeBencode, type Bencoded, type BencodedDict } from "../base/bencode.ts";
import { isBackroomError, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { silentLog, type Log } from "../base/log.ts";
import { serveMessages } from "../circuit/messages.ts";
import { SERVICE, type CircuitStream, type ServedCircuit, type ServiceHandler } from "../circuit/stream.ts";
import { TAG_LENGTH } from "./lease.ts";
import { Registry, type Place, type RegistryDeps } from "./registry.ts";
import { SpliceTotal } from "./splice.ts";

/** The services of a relay that is a gate (PROTOCOL 8), for its circuits to call. */
export interface Gate {
  readonly register: ServiceHandler;
  readonly leases: ServiceHandler;
  readonly connect: ServiceHandler;
  /** Counts, for the relay's status. */
  readonly registrations: number;
  readonly tunnels: number;
  /** Withdraws every announcement. */
  close(): void;
}

type Answer = Record<string, Bencoded>;
/** Why a gate does not do what it is asked. */
type Refusal = "bad" | "full";

export function createGate(deps: RegistryDeps & { readonly log?: Log }): Gate {
  const { log = silentLog } = deps;
  const onRefused = (code: ErrorCode): void => log("debug", "a question to the gate was refused", { code });
  const registry = new Registry(deps);
  const splices = new SpliceTotal(deps.clock);
  const tunnelsOf = new Map<ServedCircuit, number>();

  function register(stream: CircuitStream, args: Buffer, circuit: ServedCircuit) {
    if (args.length > 0) return undefined;
    let held: Place | undefined;
    let ended = false;
    const answer = (question: BencodedDict): Answer => {
      // A question may still wait when its stream ends: nobody would withdraw what it registers.
      if (ended) return refusal("bad");
      held = registry.register(encodeBencode(question), circuit, held);
      held.onEvicted = () => stream.end();
      log("debug", "a seeder registered, or renewed", { registrationCount: registry.size });
      return { ok: 1, x: Math.floor(held.expiresMs / 1000) };
    };
    return serveMessages(stream, orRefuse(answer, onRefused), () => {
      ended = true;
      if (held !== undefined) registry.withdraw(held);
    });
  }

  function leases(stream: CircuitStream, args: Buffer) {
    if (args.length > 0) return undefined;
    return serveMessages(
      stream,
      orRefuse((question) => {
        const topic = question.get("t");
        if (!Buffer.isBuffer(topic) || topic.length !== 32 || question.size !== 1) return refusal("bad");
        return { l: registry.leasesOf(topic) };
      }, onRefused),
    );
  }

  function connect(stream: CircuitStream, tag: Buffer) {
    const place = tag.length === TAG_LENGTH ? registry.placeOf(tag) : undefined;
    if (place === undefined) {
      log("debug", "a tunnel was refused", { reason: "not-allowed" });
      return undefined;
    }
    const { circuit } = place;
    const open = tunnelsOf.get(circuit) ?? 0;
    if (open >= LIMITS.gateTunnelsPerSeeder || splices.tunnels >= LIMITS.gateTunnels) {
      log("debug", "a tunnel was refused", { reason: "full" });
      return undefined;
    }
    tunnelsOf.set(circuit, open + 1);
    const splice = splices.splice(() => {
      const left = (tunnelsOf.get(circuit) ?? 0) - 1;
      if (left > 0) tunnelsOf.set(circuit, left);
      else tunnelsOf.delete(circuit);
    });
    try {
      splice.join(stream, circuit.openStream(SERVICE.incoming, tag, splice.seederSide));
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      splice.abort();
      return undefined;
    }
    log("debug", "a tunnel was joined", { tunnelCount: splices.tunnels });
    return splice.downloaderSide;
  }

  return {
    register,
    leases,
    connect,
    get registrations() {
      return registry.size;
    },
    get tunnels() {
      return splices.tunnels;
    },
    close: () => registry.close(),
  };
}

/** A refusal says whether it was the question or the room; which check failed is nobody's business. */
function orRefuse(
  answer: (question: BencodedDict) => Answer,
  onRefused: (code: ErrorCode) => void,
): (question: BencodedDict) => Answer {
  return (question) => {
    try {
      return answer(question);
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      onRefused(error.code);
      return refusal(error.code === "E_GATE" ? "full" : "bad");
    }
  };
}

function refusal(reason: Refusal): Answer {
  return { e: Buffer.from(reason) };
}
