import { timingSafeEqual } from "node:crypto";
import type { Answer, Input } from "@backroom/api/routes.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";
import { SCOPES, type BROWSERS } from "@backroom/api/words.ts";
import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { Random } from "@backroom/core/base/random.ts";
import type { TokenRecord, TokenStore } from "../catalogue/catalogue.ts";
import { newId } from "../new-id.ts";
import { hashSecret, newSecret } from "../tokens.ts";
import { GuessLimit } from "./guess-limit.ts";

const BEARER = /^Bearer (backroom-token-[A-Za-z0-9_-]{43})$/;
/** What a page may do: all that its person may. */
const PAGE_SCOPES = SCOPES;

export interface AccessDeps {
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who may ask over TCP: bearers of tokens, and how a page comes to one. */
export class Access {
  readonly #tokens: TokenStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #guesses: GuessLimit;
  /** Hashes that were right in this run: a storm of guesses from the same computer must not shut out the page that is open. */
  readonly #proven = new Set<string>();
  /** Hashes of codes that were given out, with when they are over. */
  readonly #codes = new Map<string, number>();

  constructor({ tokens, clock, random }: AccessDeps) {
    this.#tokens = tokens;
    this.#clock = clock;
    this.#random = random;
    this.#guesses = new GuessLimit(clock);
  }

  /** The token of a request. Raises E_ACCESS for none, a wrong one, one that is over or revoked; E_SCOPE; E_GUESSING. */
  check(authorization: string | undefined, address: string, scope: Scope): TokenRecord {
    if (authorization === undefined) throw new BackroomError("E_ACCESS", "a token is needed");
    const secret = BEARER.exec(authorization)?.[1];
    const hash = hashSecret(secret ?? "");
    if (!this.#proven.has(hash)) this.#guesses.check(address);
    const token = secret === undefined ? undefined : this.#valid(hash);
    if (token === undefined) {
      this.#proven.delete(hash);
      this.#guesses.wrong(address);
      throw new BackroomError("E_ACCESS", "the token is not good");
    }
    this.#prove(hash);
    this.#tokens.used(token.id, this.#clock.nowMs());
    if (!allows(token, scope))
      throw new BackroomError("E_SCOPE", `the token does not have the scope ${scope}`);
    return token;
  }

  /** Whether a token that was right is so still: for what goes on after the request was let in. */
  isStillGood({ hash }: TokenRecord): boolean {
    return this.#valid(hash) !== undefined;
  }

  /** A code for the page's address: good once, and not for long. It stands in the history of a browser, where a token would be good for a month. */
  newCode(): { readonly code: string; readonly expiresMs: number } {
    const code = this.#random.bytes(32).toString("base64url");
    const expiresMs = this.#clock.nowMs() + LIMITS.pageCodeMs;
    this.#codes.set(hashSecret(code), expiresMs);
    if (this.#codes.size > LIMITS.pageCodes) {
      for (const oldest of this.#codes.keys()) {
        this.#codes.delete(oldest);
        break;
      }
    }
    return { code, expiresMs };
  }

  /** A token for a code. Raises E_ACCESS for one that was used, is over or was never given; E_GUESSING. */
  exchange({ code, browser }: Input<"beginSession">, address: string): Answer<"beginSession"> {
    this.#guesses.check(address);
    const hash = hashSecret(code);
    const nowMs = this.#clock.nowMs();
    let isGood = false;
    for (const [known, expiresMs] of this.#codes) {
      if (!isSame(known, hash)) continue;
      isGood = expiresMs > nowMs;
      this.#codes.delete(known);
    }
    if (!isGood) {
      this.#guesses.wrong(address);
      throw new BackroomError("E_ACCESS", "the code is not good");
    }
    this.#makeRoom();
    const id = newId(this.#random);
    const secret = newSecret(this.#random);
    const entry = {
      id,
      name: this.#sessionName(browser, nowMs),
      browser,
      createdMs: nowMs,
      usedMs: null,
      expiresMs: nowMs + LIMITS.pageSessionMs,
    };
    this.#tokens.put({ ...entry, scopes: PAGE_SCOPES, hash: hashSecret(secret) });
    return { token: { ...entry, scopes: [...PAGE_SCOPES] }, secret };
  }

  #valid(hash: string): TokenRecord | undefined {
    const token = this.#tokens.byHash(hash);
    // Found by its hash, from which nobody learns how near a guess was; compared once more so that nothing hangs on how the store looks things up.
    if (token === undefined || !isSame(token.hash, hash)) return undefined;
    return token.expiresMs !== null && token.expiresMs <= this.#clock.nowMs() ? undefined : token;
  }

  #prove(hash: string): void {
    // Those that were revoked since are no loss to forget.
    if (this.#proven.size > 2 * LIMITS.pageSessions + 100) this.#proven.clear();
    this.#proven.add(hash);
  }

  /** `page in Firefox, 2026-11-26`, so that whoever looks at the list knows which they began. Says nothing more of who that is. */
  #sessionName(browser: (typeof BROWSERS)[number], nowMs: number): string {
    const at = new Date(nowMs);
    const day = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) =>
      String(part).padStart(2, "0"),
    );
    const plain = `page in ${browser === "browser" ? "a browser" : browser}, ${day.join("-")}`;
    const taken = new Set(this.#tokens.list().map(({ name }) => name));
    for (let number = 1; ; number++) {
      const name = number === 1 ? plain : `${plain} (${number})`;
      if (!taken.has(name)) return name;
    }
  }

  /** Ends sessions that are over, and the one that was used longest ago where there are too many. */
  #makeRoom(): void {
    const nowMs = this.#clock.nowMs();
    const sessions = this.#tokens.list().filter(({ browser }) => browser !== null);
    const isOver = (token: TokenRecord): boolean => token.expiresMs !== null && token.expiresMs <= nowMs;
    const live = sessions
      .filter((token) => !isOver(token))
      .toSorted((a, b) => (b.usedMs ?? b.createdMs) - (a.usedMs ?? a.createdMs));
    const ended = [...sessions.filter(isOver), ...live.slice(LIMITS.pageSessions - 1)];
    for (const { id } of ended) this.#tokens.remove(id);
  }
}

/** `admin` is everything. */
function allows({ scopes }: TokenRecord, scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes("admin");
}

/** Two hashes in hex, in the same time whatever they are. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
