import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { NewToken } from "@backroom/api/schemas/daemon.ts";
import type { Input } from "@backroom/api/routes.ts";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { ManualClock } from "../../core/test/support/manual-clock.ts";
import type { Catalogue } from "../src/catalogue/catalogue.ts";
import { createTokens, hashSecret, MOST_TOKENS } from "../src/tokens.ts";
import { callContext } from "./support/call-context.ts";
import { memoryCatalogue } from "./support/memory-catalogue.ts";

interface World {
  readonly catalogue: Catalogue;
  readonly clock: ManualClock;
  readonly add: (
    input: Partial<Input<"addToken">> & { name: string },
  ) => Promise<{ token: { id: string }; secret: string }>;
  readonly list: () => Promise<string[]>;
  readonly remove: (id: string) => Promise<unknown>;
}

function world(t: TestContext): World {
  const clock = new ManualClock();
  const catalogue = memoryCatalogue(clock);
  t.after(() => catalogue.close());
  const { handlers } = createTokens({ catalogue }, { clock, random: systemRandom });
  return {
    catalogue,
    clock,
    add: (input) => handlers.addToken({ scopes: ["read"], ...input }, callContext()),
    list: async () => (await handlers.listTokens({}, callContext())).tokens.map(({ name }) => name),
    remove: (id) => handlers.removeToken({ id }, callContext()),
  };
}

const refused = (error: unknown): boolean => isBackroomError(error, "E_TOKEN");

test("a secret has 256 fresh bits, is found by its hash, and is itself kept nowhere", async (t) => {
  const { catalogue, add } = world(t);
  const made = await add({ name: "page" });
  const other = await add({ name: "other" });
  assert.match(made.secret, /^backroom-token-[\w-]{43}$/);
  assert.notEqual(made.secret, other.secret);
  assert.equal(catalogue.tokens.byHash(hashSecret(made.secret))?.id, made.token.id);
  assert.ok(!JSON.stringify([made.token, catalogue.tokens.list()]).includes(made.secret.slice(-20)));
  assert.ok(!JSON.stringify(made.token).includes(hashSecret(made.secret)));
});

test("two tokens of one name cannot be told apart, so there are none, however the name is typed", async (t) => {
  const { add, list, remove } = world(t);
  const { token } = await add({ name: "caf\u00E9" });
  await assert.rejects(add({ name: " cafe\u0301 " }), refused);
  await assert.rejects(add({ name: "  " }), refused);
  await remove(token.id);
  await add({ name: "cafe\u0301" });
  assert.deepEqual(await list(), ["caf\u00E9"]);
});

test("a token that is revoked is gone, and revoking it again says so", async (t) => {
  const { catalogue, add, remove } = world(t);
  const { token, secret } = await add({ name: "page" });
  await remove(token.id);
  assert.equal(catalogue.tokens.byHash(hashSecret(secret)), undefined);
  await assert.rejects(remove(token.id), refused);
});

test("there are a hundred at most, and none that is over before it is made", async (t) => {
  const { clock, add, list } = world(t);
  await assert.rejects(add({ name: "late", expiresMs: clock.nowMs() }), refused);
  for (let index = 0; index < MOST_TOKENS; index++) await add({ name: String(index) });
  await assert.rejects(add({ name: "one more" }), refused);
  assert.equal((await list()).length, MOST_TOKENS);
});

test("a scope that is none, or no scope at all, does not get past the contract; one that is named twice counts once", async (t) => {
  assert.equal(NewToken.safeParse({ name: "x", scopes: ["everything"] }).success, false);
  assert.equal(NewToken.safeParse({ name: "x", scopes: [] }).success, false);
  const { catalogue, add } = world(t);
  const { secret } = await add({ name: "x", scopes: ["read", "links", "read"] });
  assert.deepEqual(catalogue.tokens.byHash(hashSecret(secret))?.scopes, ["read", "links"]);
});
