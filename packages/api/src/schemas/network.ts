import { z } from "zod";
import { Count, Failure, Id, TimeMs } from "./common.ts";

export const NetworkEntry = z.object({
  /** Eight hex digits. */
  id: z.string().regex(/^[0-9a-f]{8}$/),
  name: z.string(),
  /** One operator runs all relays: nothing is hidden from that operator. */
  test: z.boolean(),
  current: z.boolean(),
  relaysKnown: Count,
});
export const NetworkList = z.object({ networks: z.array(NetworkEntry) });

/**
 * One circuit as a picture from this computer outwards: what each hop is for, never who or where. `key` tells the same relay in several circuits
 * apart from others for as long as the daemon runs, and means nothing elsewhere.
 */
export const CircuitPicture = z.object({
  purpose: z.enum(["seeder", "downloader", "lookup", "directory"]),
  hops: z.array(
    z.object({ role: z.enum(["guard", "middle", "gate", "scout", "relay"]), key: z.string().max(8) }),
  ),
  ageMs: Count,
});

export const NetworkStatus = z.object({
  network: NetworkEntry.nullable(),
  /** Whether the daemon is in the network now; it joins when there is something to do. */
  state: z.enum(["none", "idle", "joining", "joined", "failed"]),
  guardCount: Count,
  /**
   * What the network can hide, as sentences, the most important first. test: one operator sees all. none: no path can be made. small: timing by few
   * operators. fair: what the threat model promises. Null while too little is known of the network, as before it was joined for the first time.
   */
  privacy: z
    .object({ level: z.enum(["test", "none", "small", "fair"]), sentences: z.array(z.string()) })
    .nullable(),
  circuitCount: Count,
  /** The oldest of them. */
  circuits: z.array(CircuitPicture).max(100),
  /** The neighbours' clocks minus ours, or null while unknown. */
  clockSkewMs: z.int().nullable(),
});

export const InviteText = z.object({ invite: z.string().min(1).max(8192) });
export const Invite = z.object({ invite: z.string(), relayCount: Count });
export const NetworkName = z.object({ network: z.string().min(1).max(255) });

export const RelayMode = z.enum(["auto", "on", "off"]);
export const RelayStatus = z.object({
  /** Null where nobody has been asked yet. */
  mode: RelayMode.nullable(),
  gate: z.boolean(),
  state: z.enum(["off", "starting", "running", "failed"]),
  /** Whether others can dial it; null while that is being found out. */
  reachable: z.boolean().nullable(),
  hostCount: Count,
  circuitCount: Count,
  guestCount: Count,
  carriedBytes: z.int().nonnegative(),
  /** The one in use. */
  port: z.int().nullable(),
  sinceMs: TimeMs.nullable(),
  /** Why it does not run; it is tried again by itself. */
  failure: Failure.nullable(),
});
export const RelayChange = z.object({
  mode: RelayMode,
  gate: z.boolean().optional(),
  port: z.int().min(0).max(65_535).optional(),
});

export const Watch = z.object({
  id: Id,
  folder: z.string(),
  profile: z.enum(["standard", "strong"]),
  sharedCount: Count,
  createdMs: TimeMs,
});
export const WatchList = z.object({ watches: z.array(Watch) });
export const NewWatch = z.object({
  folder: z.string().min(1).max(4096),
  profile: z.enum(["standard", "strong"]).default("standard"),
});
