import path from "node:path";
import type { Client } from "@backroom/api/client/client.ts";
import type { Answer, Request } from "@backroom/api/routes.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { GetOrder } from "../commands/get.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { LOCKED, readPassword, readSmallFile } from "../ui/input.ts";
import { choose, firstChoices } from "./choose-files.ts";
import { isPattern } from "@backroom/core/node/patterns.ts";
import { consentsOf, withConsents } from "./consent.ts";
import { followTransfer, type Follower } from "./follow-transfer.ts";
import { openedResult } from "./opened-result.ts";
import { outlived } from "./outlives.ts";
import { shortId } from "./short-id.ts";
import { showTransfer } from "./show-transfer.ts";

/** Lets the daemon fetch and open; waits until the files are there. */
export async function getInDaemon(order: GetOrder, session: Session): Promise<void> {
  if (order.mirror) return mirrorInDaemon(order, session);
  let keys: Keys | undefined;
  const client = await session.daemon.ensure(async () => {
    const { assertFolder, linkToFetch } = await import("@backroom/daemon/engine/asked-for.ts");
    const { kind } = linkToFetch(order.link);
    await assertFolder(order.output);
    keys = await keysFor(kind, order, session);
  });
  if (keys === undefined) {
    const { kind } = await client.call("inspectLink", { link: order.link });
    keys = await keysFor(kind, order, session);
  }
  const request = {
    ...wanted(order),
    ...keys,
    output: path.resolve(order.output),
    seed: order.seed,
    ...(order.only.length === 0 ? {} : { choices: firstChoices(order.only) }),
  };
  const there = await fetched(client, request, order, session);
  const result = { ...openedResult(there), fetchedBytes: there.downloadedBytes } satisfies Result<"get">;
  const { terminal } = session;
  terminal.note(`${count(result.fileCount, "file")}, ${formatBytes(result.size)}:`);
  terminal.result(result.paths.join("\n"), result);
  if (order.seed) {
    terminal.note(`The daemon goes on handing it out. To stop: backroom pause ${shortId(there.id)}`);
  }
}

/** Lets the daemon fetch and hand out; waits until all of it is there. */
export async function mirrorInDaemon(order: MirrorOrder, session: Session): Promise<void> {
  const client = await session.daemon.ensure(async () => {
    const { linkToFetch } = await import("@backroom/daemon/engine/asked-for.ts");
    linkToFetch(order.link);
  });
  const there = await fetched(client, { ...wanted(order), mirror: true }, order, session);
  const { id, name, packLength, downloadedBytes } = there;
  const { terminal } = session;
  terminal.note(`${formatBytes(packLength ?? 0)} are there. The daemon goes on handing them out. To stop:`);
  terminal.note(`  backroom pause ${shortId(id)}, or rm to make room again`);
  terminal.result(id, {
    id,
    name,
    packLength: packLength ?? 0,
    fetchedBytes: downloadedBytes,
  } satisfies Result<"mirror">);
}

type MirrorOrder = Pick<GetOrder, "link" | "profile" | "accepted" | "wait" | "stopOnExit"> &
  Partial<Pick<GetOrder, "only">>;

function wanted({ link, profile, wait }: MirrorOrder): Request<"addGet"> {
  return { link, profile, wait };
}

type Keys = Pick<Request<"addGet">, "password" | "identity">;

/** A locked link says neither whether a password or somebody's key opens its share, nor which. */
async function keysFor(
  kind: Answer<"inspectLink">["kind"],
  { identityFile, passwordFile }: GetOrder,
  { terminal }: Session,
): Promise<Keys> {
  if (identityFile !== undefined) return { identity: await readSmallFile(identityFile, "the key") };
  if (passwordFile !== undefined) return { password: await readPassword(passwordFile, false) };
  if (kind === "read") return {};
  if (terminal.interactive) terminal.note(LOCKED);
  return { password: await readPassword(undefined, false, LOCKED) };
}

/** Asks for what has to be consented to, and gives the transfer once it is fetched whole. */
async function fetched(
  client: Client,
  request: Request<"addGet">,
  { accepted, stopOnExit, only = [] }: MirrorOrder,
  { terminal, signal }: Session,
): Promise<Transfer> {
  const shown = showTransfer(terminal);
  let told = "";
  return withConsents(consentsOf(accepted), terminal, async (accept) => {
    const begun = await client.call("addGet", { ...request, accept });
    if (begun.id !== told) terminal.event("begun", { id: begun.id });
    told = begun.id;
    const follow = (isThere: (transfer: Transfer) => boolean, follower: Follower): Promise<Transfer> =>
      followTransfer(client, begun.id, isThere, follower, signal).finally(() => shown.end());
    const wait = async (): Promise<Transfer> => {
      if (only.length === 0) return follow(isFetched, shown);
      const isKnown = ({ fileCount }: Transfer): boolean => fileCount !== null;
      // Of what arrives already it can be told at once what the share does not hold.
      const isLookedUp = only.some((name) => isPattern(name)) || (isKnown(begun) && !isFetched(begun));
      // That nothing is chosen yet is nobody's business: it is about to be.
      const quiet: Follower = {
        onChange: (transfer) => void (transfer.state === "choosing" || shown.onChange(transfer)),
        onNotice: (level, text) => shown.onNotice(level, text),
      };
      const isReady = (transfer: Transfer): boolean =>
        transfer.state === "choosing" || isFetched(transfer) || (isLookedUp && isKnown(transfer));
      const there = await follow(isReady, quiet);
      // Of what is done as a whole no list of files is kept, and whatever fits is there.
      const isWhole = there.state === "done" && there.skippedCount === 0;
      if (isWhole || (isFetched(there) && !isLookedUp)) return there;
      // Beside what was chosen before.
      await choose(client, begun.id, only, { priority: "normal", signal });
      return follow(isFetched, shown);
    };
    return outlived(client, begun, stopOnExit, wait);
  });
}

function isFetched({ state }: Transfer): boolean {
  return state === "done" || state === "seeding";
}
