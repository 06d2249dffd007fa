import { encodeBencode, type Bencoded, type BencodedDict, type BencodedValue } from "../base/bencode.ts";
import { isBackroomError, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { silentLog, type Log } from "../base/log.ts";
import { serveMessages } from "../circuit/messages.ts";
import type { CircuitStream, ServedCircuit, ServiceHandler } from "../circuit/stream.ts";
import { createAllowance, createAllowances } from "../directory/allowance.ts";
import { ConnectService } from "./connect-service.ts";
import { TAG_LENGTH } from "./lease.ts";
import { Registry, type Place, type RegistryDeps } from "./registry.ts";

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

const TOPIC_LENGTH = 32;

type Answer = Record<string, Bencoded>;
/** Why a gate does not do what it is asked. */
type Refusal = "bad" | "full";

/** A gate that holds nothing yet. Whatever it refuses is an answer, or the end of a stream, and never raised; it keeps nothing on disk. */
export function createGate(deps: RegistryDeps & { readonly log?: Log }): Gate {
  const { log = silentLog } = deps;
  const onRefused = (code: ErrorCode): void => log("debug", "a question to the gate was refused", { code });
  const registry = new Registry(deps);
  const connects = new ConnectService(registry, { ...deps, log });
  const questionsOf = createAllowances(
    { burst: LIMITS.gateLeaseQuestionBurst, perSecond: LIMITS.gateLeaseQuestionsPerSecond },
    LIMITS.allowanceCircuits,
    deps.clock,
  );
  const allQuestions = createAllowance(
    { burst: LIMITS.gateAllLeaseQuestionBurst, perSecond: LIMITS.gateAllLeaseQuestionsPerSecond },
    deps.clock,
  );

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

  function leases(stream: CircuitStream, args: Buffer, circuit: ServedCircuit) {
    if (args.length > 0) return undefined;
    const answer = (question: BencodedDict): Answer => {
      // The circuit's own first: what it asks in vain is not counted against all.
      if (!questionsOf(circuit.id).take() || !allQuestions.take()) return refusal("full");
      const topic = question.get("t");
      const tag = question.get("g");
      if (question.size !== 1) return refusal("bad");
      if (isBytes(topic, TOPIC_LENGTH)) {
        return { l: registry.leasesOf(topic), ...terms(registry.placesOf(topic)) };
      }
      const place = isBytes(tag, TAG_LENGTH) ? registry.placeOf(tag) : undefined;
      return place === undefined ? refusal("bad") : terms([place]);
    };
    return serveMessages(stream, orRefuse(answer, onRefused));
  }

  function terms(places: readonly Place[]): Answer {
    const { nonce, effort } = connects.termsFor(places);
    return { n: nonce, w: effort };
  }

  return {
    register,
    leases,
    connect: (stream, args, circuit) => connects.connect(stream, args, circuit),
    get registrations() {
      return registry.size;
    },
    get tunnels() {
      return connects.tunnels;
    },
    close: () => {
      connects.close();
      registry.close();
    },
  };
}

function isBytes(value: BencodedValue | undefined, length: number): value is Buffer {
  return Buffer.isBuffer(value) && value.length === length;
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
