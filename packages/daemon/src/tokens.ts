import { createHash } from "node:crypto";
import type { Answer } from "@backroom/api/routes.ts";
import { systemClock, type Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { systemRandom, type Random } from "@backroom/core/base/random.ts";
import type { TokenRecord } from "./catalogue/catalogue.ts";
import type { DaemonContext, Part } from "./context.ts";
import { newId } from "./new-id.ts";

/** Each request looks for one among them, and whoever has more has lost sight of who may do what. */
export const MOST_TOKENS = 100;
const SECRET_BYTES = 32;
/** So that programs that search files for secrets know one when they see it. */
const PREFIX = "backroom-token-";

export interface TokenDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/** The tokens' part of the API. */
export function createTokens(
  { catalogue }: Pick<DaemonContext, "catalogue">,
  { clock, random }: TokenDeps = { clock: systemClock, random: systemRandom },
): Part<"listTokens" | "addToken" | "removeToken"> {
  const { tokens } = catalogue;
  return {
    handlers: {
      listTokens: async () => ({ tokens: tokens.list().map(entryOf) }),

      addToken: async ({ name, scopes, expiresMs }) => {
        const known = tokens.list();
        const nowMs = clock.nowMs();
        const wanted = name.normalize("NFC").trim();
        if (wanted === "") throw new BackroomError("E_TOKEN", "a token needs a name");
        if (known.some((one) => one.name === wanted)) {
          throw new BackroomError("E_TOKEN", "there is a token of that name already", {
            fix: "choose another name, or revoke the old one first",
          });
        }
        if (known.length >= MOST_TOKENS) {
          throw new BackroomError("E_TOKEN", `there are ${MOST_TOKENS} tokens already`, {
            fix: "revoke those that nobody uses: backroom token list says when each was used last",
          });
        }
        if (expiresMs !== undefined && expiresMs <= nowMs) {
          throw new BackroomError("E_TOKEN", "the token would be over before it is made", {
            fix: "choose a later end, or none",
          });
        }
        const secret = newSecret(random);
        const token: TokenRecord = {
          id: newId(random),
          name: wanted,
          browser: null,
          scopes: [...new Set(scopes)],
          hash: hashSecret(secret),
          createdMs: nowMs,
          usedMs: null,
          expiresMs: expiresMs ?? null,
        };
        tokens.put(token);
        return { token: entryOf(token), secret };
      },

      removeToken: async ({ id }) => {
        if (!tokens.remove(id)) throw new BackroomError("E_TOKEN", "there is no token of that id");
        return {};
      },
    },
    close: async () => {},
  };
}

/** 256 bits that nobody guesses, so a fast hash is enough to keep it by. */
export function newSecret(random: Pick<Random, "bytes">): string {
  return PREFIX + random.bytes(SECRET_BYTES).toString("base64url");
}

/** What is kept of a secret, and what it is found by. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function entryOf({
  id,
  name,
  browser,
  scopes,
  createdMs,
  usedMs,
  expiresMs,
}: TokenRecord): Answer<"addToken">["token"] {
  return { id, name, browser, scopes: [...scopes], createdMs, usedMs, expiresMs };
}
