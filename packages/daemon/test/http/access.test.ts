import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Scope } from "@backroom/api/schemas/daemon.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { Access } from "../../src/http/access.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { newId } from "../../src/new-id.ts";
import { hashSecret, newSecret } from "../../src/tokens.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";

const HOME = "127.0.0.1";

interface World {
  readonly clock: ManualClock;
  readonly catalogue: Catalogue;
  readonly access: Access;
  /** A token's secret. */
  readonly add: (scopes: Scope[], expiresMs?: number) => string;
  /** Whether a request with that secret may do that: true, or the code of the error. */
  readonly ask: (secret: string, scope?: Scope) => string | true;
  /** The session that a page gets for a code. */
  readonly exchange: (code: string, address?: string) => ReturnType<Access["exchange"]>;
}

function setUp(): World {
  const clock = new ManualClock();
  const catalogue = memoryCatalogue(clock);
  const access = new Access({ tokens: catalogue.tokens, clock, random: systemRandom });
  return {
    clock,
    catalogue,
    access,
    add: (scopes, expiresMs) => {
      const secret = newSecret(systemRandom);
      const id = newId(systemRandom);
      const record = {
        id,
        name: id,
        browser: null,
        scopes,
        createdMs: clock.nowMs(),
        usedMs: null,
        expiresMs: expiresMs ?? null,
      };
      catalogue.tokens.put({ ...record, hash: hashSecret(secret) });
      return secret;
    },
    exchange: (code, address = HOME) => access.exchange({ code, browser: "Firefox" }, address),
    ask: (secret, scope = "read") => codeOf(() => access.check(`Bearer ${secret}`, HOME, scope)),
  };
}

function codeOf(work: () => unknown): string | true {
  try {
    work();
    return true;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("a token is good for its scopes alone, and admin for all", () => {
  const { add, ask } = setUp();
  const scopes: Scope[] = ["read", "links", "write", "admin"];
  for (const has of scopes) {
    const secret = add([has]);
    for (const asked of scopes) {
      assert.equal(
        ask(secret, asked),
        has === asked || has === "admin" ? true : "E_SCOPE",
        `${has} asks ${asked}`,
      );
    }
  }
});

test("an end, or being revoked, holds at once", () => {
  const { add, ask, clock, catalogue } = setUp();
  const secret = add(["read"], clock.nowMs() + 1000);
  const other = add(["read"]);
  assert.equal(ask(secret), true);
  clock.advance(999);
  assert.equal(ask(secret), true);
  clock.advance(1);
  assert.equal(ask(secret), "E_ACCESS");
  assert.equal(ask(other), true);
  for (const { id } of catalogue.tokens.list()) catalogue.tokens.remove(id);
  assert.equal(ask(other), "E_ACCESS");
});

test("whatever is not exactly a bearer token is none", () => {
  const { add, access } = setUp();
  const secret = add(["admin"]);
  const hash = hashSecret(secret);
  for (const header of [
    undefined,
    "",
    secret,
    `bearer ${secret}`,
    `Bearer  ${secret}`,
    `Bearer ${secret} `,
    `Bearer ${secret},x`,
    `Bearer ${secret.slice(0, -1)}`,
    `Bearer ${secret}A`,
    `Basic ${Buffer.from(`:${secret}`).toString("base64")}`,
    // What is kept is no key.
    `Bearer ${hash}`,
    `Bearer backroom-token-${hash.slice(0, 43)}`,
    "Bearer backroom-token-' OR 1=1 --",
  ]) {
    assert.equal(codeOf(() => access.check(header, "192.0.2.7", "read")) === true, false, header);
  }
});

test("a storm of guesses has to wait, and does not shut out a page that is open", () => {
  const { add, ask, clock } = setUp();
  const open = add(["read"]);
  const fresh = add(["read"]);
  assert.equal(ask(open), true);
  const answers = Array.from({ length: LIMITS.guessBurst + 50 }, () => ask(newSecret(systemRandom)));
  assert.deepEqual(answers.slice(0, LIMITS.guessBurst), Array<string>(LIMITS.guessBurst).fill("E_ACCESS"));
  assert.deepEqual(new Set(answers.slice(LIMITS.guessBurst)), new Set(["E_GUESSING"]));
  assert.equal(ask(open), true);
  assert.equal(ask(fresh), "E_GUESSING", "not even looked at, so guessing on gains nothing");
  clock.advance(LIMITS.guessWaitMs);
  assert.equal(ask(fresh), true);
});

test("a code is good once, and for a short while", () => {
  const { access, ask, clock, exchange } = setUp();
  const { code, expiresMs } = access.newCode();
  assert.equal(expiresMs, clock.nowMs() + LIMITS.pageCodeMs);
  const { secret, token } = exchange(code);
  assert.equal(ask(secret, "admin"), true);
  assert.equal(token.expiresMs, clock.nowMs() + LIMITS.pageSessionMs);
  assert.equal(
    codeOf(() => exchange(code)),
    "E_ACCESS",
  );
  const late = access.newCode();
  clock.advance(LIMITS.pageCodeMs);
  assert.equal(
    codeOf(() => exchange(late.code)),
    "E_ACCESS",
  );
  clock.advance(LIMITS.pageSessionMs);
  assert.equal(ask(secret), "E_ACCESS");
});

test("codes are guessed as slowly as tokens, and only so many wait", () => {
  const { access, exchange } = setUp();
  const codes = Array.from({ length: LIMITS.pageCodes + 1 }, () => access.newCode().code);
  assert.equal(
    codeOf(() => exchange(codes[0] ?? "", "192.0.2.1")),
    "E_ACCESS",
  );
  assert.equal(
    codeOf(() => exchange(codes[1] ?? "", "192.0.2.1")),
    true,
  );
  const guesses = Array.from({ length: LIMITS.guessBurst + 1 }, () => codeOf(() => exchange("x".repeat(43))));
  assert.equal(guesses.at(-1), "E_GUESSING");
  assert.equal(
    codeOf(() => exchange(codes[2] ?? "")),
    "E_GUESSING",
  );
});

test("a page too many ends the one that was used longest ago, never a token that a person made", () => {
  const { access, add, ask, clock, catalogue, exchange } = setUp();
  const own = add(["read"]);
  const begin = (): string => exchange(access.newCode().code).secret;
  const pages: string[] = [];
  for (let n = 0; n < LIMITS.pageSessions; n++) {
    pages.push(begin());
    clock.advance(1000);
  }
  assert.equal(ask(pages[0] ?? ""), true);
  begin();
  assert.deepEqual(
    [pages[0], pages[1], pages[2], own].map((secret) => ask(secret ?? "")),
    [true, "E_ACCESS", true, true],
  );
  clock.advance(LIMITS.pageSessionMs);
  begin();
  assert.equal(catalogue.tokens.list().length, 2, "those that are over went");
});

/** Would catch: sessions among which nobody finds their own, or that say more of somebody than which browser; two of one name. */
test("a session is named by browser and day, each in its own way", () => {
  const { access, catalogue, exchange } = setUp();
  exchange(access.newCode().code);
  exchange(access.newCode().code);
  access.exchange({ code: access.newCode().code, browser: "browser" }, HOME);
  const tokens = catalogue.tokens.list();
  const names = tokens.map(({ name }) => name).sort();
  const day = /\d{4,}-\d\d-\d\d/.exec(names[0] ?? "")?.[0];
  assert.deepEqual(names, [
    `page in Firefox, ${day}`,
    `page in Firefox, ${day} (2)`,
    `page in a browser, ${day}`,
  ]);
  assert.deepEqual(new Set(tokens.map(({ browser }) => browser)), new Set(["Firefox", "browser"]));
});

test("secrets are kept by their hash, and compared by what takes the same time for each", () => {
  const { access, catalogue, exchange } = setUp();
  const { secret } = exchange(access.newCode().code);
  assert.doesNotMatch(JSON.stringify(catalogue.tokens.list()), new RegExp(secret.slice(20)));
  const folder = new URL("../../src/http/", import.meta.url);
  for (const file of ["access.ts", "content-url.ts", "listener.ts"]) {
    const text = readFileSync(new URL(file, folder), "utf8");
    assert.match(text, /timingSafeEqual\(/, file);
    assert.doesNotMatch(
      text,
      /\b(hash|mac|secret|given|digest)\b *(===|!==|==|!=) *\b(hash|mac|secret|right|known|token)/,
      file,
    );
  }
});
