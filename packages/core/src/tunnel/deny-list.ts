import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { parseLink, topicSecret } from "../link/link.ts";
import { deriveEpoch, epochsAt, type ShareTopic } from "./topic.ts";

/** Epochs overlap by an hour on each side, so topics derived this often are never too late. */
const DERIVED_MS = 30 * 60_000;
const COMMENT = "#";

/**
 * What the operator of a gate or mirror does not want to serve: a gate takes no registration for it, a mirror does not fetch it. The file has one entry a line:
 * a link, which names a share for good; or 64 hex digits, which are a pieces root (for mirrors) or a topic (for gates, and gone with its day). A gate
 * cannot know of what a link is that it was not told.
 */
export class DenyList {
  readonly #hashes: ReadonlySet<string>;
  readonly #shares: readonly ShareTopic[];
  #topics: ReadonlySet<string> = new Set();
  #derivedMs = -Infinity;

  private constructor(hashes: ReadonlySet<string>, shares: readonly ShareTopic[]) {
    this.#hashes = hashes;
    this.#shares = shares;
  }

  static readonly empty = new DenyList(new Set(), []);

  /** What follows `#` is for people. Raises E_DENY_LIST with the number of the line, and never with what is in it. */
  static parse(text: string): DenyList {
    const hashes = new Set<string>();
    const shares: ShareTopic[] = [];
    for (const [index, line] of text.split("\n").entries()) {
      const entry = (line.split(COMMENT)[0] ?? "").trim();
      if (entry === "") continue;
      if (/^[0-9a-f]{64}$/i.test(entry)) {
        hashes.add(entry.toLowerCase());
      } else {
        const link = linkOf(entry, index + 1);
        hashes.add(link.piecesRoot.toString("hex"));
        shares.push({ topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint });
      }
      if (shares.length > LIMITS.denyListLinks || hashes.size > LIMITS.denyListHashes) {
        throw new BackroomError("E_DENY_LIST", "the deny-list is longer than any that is taken", {
          why: `it may name ${LIMITS.denyListLinks} links and ${LIMITS.denyListHashes} hashes`,
        });
      }
    }
    return new DenyList(hashes, shares);
  }

  deniesRoot(root: Buffer): boolean {
    return this.#hashes.has(root.toString("hex"));
  }

  deniesTopic(topic: Buffer, nowMs: number): boolean {
    const name = topic.toString("hex");
    if (this.#hashes.has(name)) return true;
    if (this.#shares.length === 0) return false;
    // Also after a clock that was put back.
    if (Math.abs(nowMs - this.#derivedMs) >= DERIVED_MS) {
      this.#derivedMs = nowMs;
      this.#topics = new Set(this.#shares.flatMap((share) => topicsAt(share, nowMs)));
    }
    return this.#topics.has(name);
  }
}

function topicsAt(share: ShareTopic, nowMs: number): string[] {
  return epochsAt(share.topicSecret, nowMs).map((epoch) => deriveEpoch(share, epoch).topic.toString("hex"));
}

function linkOf(entry: string, line: number): ReturnType<typeof parseLink> {
  try {
    return parseLink(entry);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    throw new BackroomError(
      "E_DENY_LIST",
      `line ${line} of the deny-list is neither a link nor 64 hex digits`,
      {
        cause: error,
      },
    );
  }
}
