import path from "node:path";
import type { Client } from "@backroom/api/client/client.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { ShareOrder } from "../commands/share.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { sharedSummary } from "../ui/shared-summary.ts";
import { consentsOf } from "./consent.ts";
import { followTransfer } from "./follow-transfer.ts";
import { outlived } from "./outlives.ts";
import { shortId } from "./short-id.ts";
import { showTransfer } from "./show-transfer.ts";

/** How long the first gate may take before the command ends all the same. */
const FIRST_GATE_MS = 20_000;

/** Lets the daemon seal and hand out; waits until there is a link, and for a moment until it can be found. */
export async function shareInDaemon(order: ShareOrder, session: Session): Promise<void> {
  const { terminal, signal } = session;
  const client = await session.daemon.ensure(() => assertPossible(order));
  const begun = await begin(client, order);
  const { id } = begun;
  const short = shortId(id);
  terminal.event("begun", { id });
  const shown = showTransfer(terminal);
  const until = (isThere: (transfer: Transfer) => boolean, end: AbortSignal): Promise<Transfer> =>
    followTransfer(client, id, isThere, shown, end).finally(() => shown.end());

  await outlived(client, begun, order.stopOnExit, async () => {
    tellLink(await until(hasLink, signal), await client.call("links", { id }), session);
    if (order.stopOnExit) {
      terminal.note("Handing it out. Press Ctrl-C to pause it.");
      await until(() => false, signal);
    }
    if (await isFoundSoon(until, signal)) {
      terminal.note(`The daemon goes on handing it out. To stop: backroom pause ${short}`);
    } else {
      terminal.note(
        `It cannot be found yet: the daemon goes on trying. To see how it does: backroom info ${short}`,
      );
    }
  });
}

function isLink({ inputs: [first = "", ...more] }: ShareOrder): boolean {
  return more.length === 0 && /^backroom:/i.test(first.trim());
}

async function assertPossible(order: ShareOrder): Promise<void> {
  const { linkToFetch, rootsToShare } = await import("@backroom/daemon/engine/asked-for.ts");
  if (isLink(order)) linkToFetch(order.inputs[0] ?? "");
  else await rootsToShare({ ...order, paths: pathsOf(order) });
}

function pathsOf({ inputs }: ShareOrder): string[] {
  return inputs.map((input) => path.resolve(input));
}

/** A single link goes on with a share that is here; everything else is sealed. */
async function begin(client: Client, order: ShareOrder): Promise<Transfer> {
  if (isLink(order)) {
    const { transfer } = await client.call("inspectLink", { link: order.inputs[0] ?? "" });
    if (transfer !== null) return client.call("resume", { id: transfer });
    throw new BackroomError("E_NOT_HELD", "this computer does not hold what the link names");
  }
  return client.call("addShare", {
    paths: pathsOf(order),
    profile: order.profile,
    accept: consentsOf(order.accepted),
    ...(order.name === undefined ? {} : { name: order.name }),
    ...(order.password === undefined ? {} : { password: order.password }),
    ...(order.recipients === undefined ? {} : { recipients: [...order.recipients] }),
  });
}

/** There is a link: it names the pack and relays of the network, so both have to be there. */
function hasLink({ kind, state }: Transfer): boolean {
  return kind !== null && !["sealing", "queued", "joining"].includes(state);
}

function tellLink(
  { id, name, fileCount, size, packLength, leftOutCount }: Transfer,
  { link, lockedLink, kind }: Pick<Result<"share">, "link" | "lockedLink" | "kind">,
  { terminal }: Session,
): void {
  const result: Result<"share"> = {
    id,
    link,
    lockedLink,
    kind,
    name,
    fileCount: fileCount ?? 0,
    size: size ?? 0,
    packLength: packLength ?? 0,
    leftOutCount,
  };
  terminal.note(sharedSummary(result));
  terminal.result(link, result);
}

/** Whether a gate took it within a moment. */
async function isFoundSoon(
  until: (isThere: (transfer: Transfer) => boolean, end: AbortSignal) => Promise<Transfer>,
  signal: AbortSignal,
): Promise<boolean> {
  const late = AbortSignal.timeout(FIRST_GATE_MS);
  try {
    await until(({ gateCount }) => gateCount > 0, AbortSignal.any([signal, late]));
    return true;
  } catch (error) {
    if (late.aborted && !signal.aborted && isBackroomError(error, "E_INTERRUPTED")) return false;
    throw error;
  }
}
