import { randomInt } from "node:crypto";
import { Client } from "nat-upnp-rejetto";
import { BackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Granted, MapRequest } from "./nat-pmp.ts";

/** What people find in their router's list. */
const DESCRIPTION = "Backroom";
/** UPnP's errors for a port that is handed on already, and for gateways that keep a mapping until it is taken away. */
const CONFLICT = 718;
const ONLY_PERMANENT = 725;
const OTHER_PORTS = { from: 20_000, below: 60_000 };

/**
 * Asks the UPnP gateway that answers first for a port; a lifetime of 0 gives it up. To be called where `guardHttp` is in force. Raises E_REFUSED
 * for whatever comes of it but a mapping.
 */
export async function askUpnpGateway(request: MapRequest): Promise<Granted> {
  const client = new Client({ timeout: LIMITS.portMappingSearchMs });
  try {
    if (request.lifetimeS > 0) return await map(client, request);
    await client.removeMapping(portsOf(request));
    return { externalPort: 0, lifetimeS: 0 };
  } catch (cause) {
    throw new BackroomError("E_REFUSED", "no gateway hands on a port by UPnP", { cause });
  } finally {
    client.close();
  }
}

async function map(client: Client, request: MapRequest): Promise<Granted> {
  try {
    return await create(client, request);
  } catch (error) {
    if (codeOf(error) !== CONFLICT) throw error;
  }
  // Some gateways renew nothing: what is this computer's own is made anew, and somebody else's is left alone.
  if (await isOwn(client, request)) {
    await client.removeMapping(portsOf(request));
    return create(client, request);
  }
  return create(client, { ...request, externalPort: randomInt(OTHER_PORTS.from, OTHER_PORTS.below) });
}

async function create(client: Client, request: MapRequest): Promise<Granted> {
  const mapping = { ...portsOf(request), description: DESCRIPTION };
  try {
    await client.createMapping({ ...mapping, ttl: request.lifetimeS });
  } catch (error) {
    if (codeOf(error) !== ONLY_PERMANENT) throw error;
    await client.createMapping({ ...mapping, ttl: 0 });
  }
  return { externalPort: request.externalPort, lifetimeS: request.lifetimeS };
}

/** Whether the gateway says that the port leads to where it is wanted. */
async function isOwn(client: Client, { internalPort, externalPort }: MapRequest): Promise<boolean> {
  const { gateway, address } = await client.getGateway();
  const answer: unknown = await gateway.run("GetSpecificPortMappingEntry", [
    ["NewRemoteHost", ""],
    ["NewExternalPort", externalPort],
    ["NewProtocol", "TCP"],
  ]);
  const [entry] = Object.values(answer ?? {}) as unknown[];
  if (typeof entry !== "object" || entry === null) return false;
  const { NewInternalClient: host, NewInternalPort: port } = entry as Record<string, unknown>;
  return host === address && Number(port) === internalPort;
}

function portsOf({ internalPort, externalPort }: MapRequest) {
  return { public: externalPort, private: internalPort, protocol: "tcp" };
}

/** The library raises the fault as the gateway told it. */
function codeOf(error: unknown): number {
  return typeof error === "object" && error !== null && "errorCode" in error ? Number(error.errorCode) : 0;
}
