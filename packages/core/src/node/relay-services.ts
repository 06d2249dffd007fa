import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { serveMessages } from "../circuit/messages.ts";
import { SERVICE, type Service, type ServiceHandler } from "../circuit/stream.ts";
import { createDirectoryService, type QuestionService } from "../directory/directory-service.ts";
import type { Network } from "../directory/network.ts";
import type { AskRelay } from "../directory/questions.ts";
import type { RelayInfo, RelayInfoDecoder } from "../directory/relay-info.ts";
import { createScoutService } from "../directory/scout-service.ts";
import type { StrangerDials } from "../directory/stranger-dials.ts";
import type { RelayTable } from "../directory/table.ts";
import type { Dialer, Endpoint } from "../net/channel.ts";
import type { Dht } from "../net/dht/dht.ts";
import type { DenyList } from "../tunnel/deny-list.ts";
import { createGate } from "../tunnel/gate.ts";
import type { Machine } from "./machine.ts";

export interface RelayServicesOptions {
  readonly machine: Pick<Machine, "clock" | "random">;
  readonly network: Network;
  readonly table: RelayTable;
  readonly decodeInfo: RelayInfoDecoder;
  readonly nodeKey: Buffer;
  readonly dialer: Dialer;
  readonly askRelay: AskRelay;
  readonly dht: Dht;
  readonly gate: boolean;
  /** What the operator's gate does not serve. */
  readonly denied?: DenyList | undefined;
  takeGuest(info: RelayInfo): boolean;
  /** Shared with EXTEND. */
  readonly dials: StrangerDials;
  readonly log?: Log;
}

export interface RelayServices {
  readonly handlers: Partial<Record<Service, ServiceHandler>>;
  close(): void;
}

/** What a relay offers at its end of a circuit: directory and scout, and the gate's services where it is one. */
export function relayServices(options: RelayServicesOptions): RelayServices {
  const { network, table, decodeInfo, dht, askRelay, dialer } = options;
  const { clock, random } = options.machine;
  const logging = options.log === undefined ? {} : { log: options.log };
  const common = { network, table, decodeInfo, clock, random, ...logging };
  const directory = createDirectoryService({
    ...common,
    probe: (info) => answersEverywhere(info, dialer),
    takeGuest: (info) => options.takeGuest(info),
    dials: options.dials,
    dialBack: (nodeKey, endpoint) => answers(nodeKey, endpoint, dialer),
  });
  const scout = createScoutService({ ...common, askRelay, lookup: (topicHash) => dht.lookup(topicHash) });
  const handlers: Partial<Record<Service, ServiceHandler>> = {
    [SERVICE.directory]: answering(directory),
    [SERVICE.scout]: answering(scout),
  };
  if (!options.gate) return { handlers, close: () => {} };
  const gate = createGate({
    nodeKey: options.nodeKey,
    announcer: dht,
    ...(options.denied === undefined ? {} : { denied: options.denied }),
    clock,
    random,
    ...logging,
  });
  handlers[SERVICE.register] = gate.register;
  handlers[SERVICE.leases] = gate.leases;
  handlers[SERVICE.connect] = gate.connect;
  return { handlers, close: () => gate.close() };
}

function answering(service: QuestionService): ServiceHandler {
  return (stream, _args, circuit) =>
    serveMessages(stream, (question) => service.answer(question, circuit.id, circuit.clientHost));
}

/** Whether a relay's key answers at every address that it claims. */
async function answersEverywhere(info: RelayInfo, dialer: Dialer): Promise<boolean> {
  for (const endpoint of info.endpoints) {
    if (!(await answers(info.nodeKey, endpoint, dialer))) return false;
  }
  return true;
}

async function answers(nodeKey: Buffer, endpoint: Endpoint, dialer: Dialer): Promise<boolean> {
  try {
    (await dialer.dial({ nodeKey, endpoints: [endpoint] })).close();
    return true;
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return false;
  }
}
