import type { ReactNode } from "react";
import type { Answer, Request } from "@backroom/api/routes.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Check, Facts, Field } from "./basics.tsx";
import { formatBytes, showable } from "./format.ts";

/** What a person asks for with a link: how it is fetched, and what becomes of it. */
export interface Wishes {
  /** A folder; empty: where downloads go. */
  readonly output: string;
  readonly password: string;
  readonly mirror: boolean;
  readonly seed: boolean;
  readonly wait: boolean;
  readonly choosesFirst: boolean;
  readonly strong: boolean;
  readonly acceptsRelays: boolean;
}

export const FIRST_WISHES: Wishes = {
  output: "",
  password: "",
  mirror: false,
  seed: true,
  wait: true,
  choosesFirst: false,
  strong: false,
  acceptsRelays: false,
};

/** The list of files comes, and no file until it is chosen. */
const NOTHING = [{ path: "", priority: "skip" as const }];

/** What the daemon is asked for by them. */
export function orderOf(link: string, wishes: Wishes): Request<"addGet"> {
  const { output, password, mirror, seed, wait, choosesFirst, strong, acceptsRelays } = wishes;
  return {
    link,
    mirror,
    seed,
    wait,
    profile: strong ? "strong" : "standard",
    accept: acceptsRelays ? ["link-relays"] : [],
    ...(choosesFirst && !mirror ? { choices: NOTHING } : {}),
    ...(output === "" ? {} : { output }),
    ...(password === "" ? {} : { password }),
  };
}

/** Whether the link leads into a network that is not known here, by relays that whoever made it chose: somebody has to say yes to that. */
export function asksForRelays({ isNetworkKnown, joinRelayCount }: Answer<"inspectLink">): boolean {
  return !isNetworkKnown && joinRelayCount > 0;
}

/** What a link says, what is warned of, and what can be wished for. */
export function LinkWishes({
  facts,
  wishes,
  onChange,
  onShow,
}: {
  readonly facts: Answer<"inspectLink">;
  readonly wishes: Wishes;
  readonly onChange: (changed: Partial<Wishes>) => void;
  /** The transfer that fetches it already is to be shown. */
  readonly onShow: (id: string) => void;
}): ReactNode {
  const t = useMessages();
  const { output, password, mirror } = wishes;
  const check = (name: "mirror" | "seed" | "wait" | "choosesFirst" | "strong", text: string): ReactNode => (
    <Check isSelected={wishes[name]} onChange={(is) => onChange({ [name]: is })}>
      {text}
    </Check>
  );
  return (
    <>
      <LinkFacts facts={facts} />
      {facts.transfer === null ? null : (
        <p>
          {t.open.already} <Button onPress={() => onShow(facts.transfer ?? "")}>{t.open.show}</Button>
        </p>
      )}
      {facts.fits === false && <p className="warning">{t.open.noFit}</p>}
      {facts.kind === "locked" && <p>{t.open.lockedText}</p>}
      {facts.kind === "locked" && !mirror && (
        <Field
          label={t.open.password}
          type="password"
          value={password}
          onChange={(text) => onChange({ password: text })}
        />
      )}
      {!mirror && (
        <Field
          label={t.open.folder}
          hint={t.open.folderDefault}
          value={output}
          onChange={(text) => onChange({ output: text })}
        />
      )}
      {check("mirror", t.open.mirror)}
      {!mirror && check("seed", t.open.seed)}
      {!mirror && check("choosesFirst", t.open.chooseFirst)}
      {check("wait", t.open.wait)}
      {check("strong", t.open.strong)}
      {asksForRelays(facts) && (
        <div className="warning">
          <p>{t.open.linkRelays}</p>
          <Check isSelected={wishes.acceptsRelays} onChange={(is) => onChange({ acceptsRelays: is })}>
            {t.open.accept}
          </Check>
        </div>
      )}
      <p className="muted">{t.open.warning}</p>
    </>
  );
}

function LinkFacts({ facts }: { readonly facts: Answer<"inspectLink"> }): ReactNode {
  const t = useMessages();
  return (
    <Facts
      rows={[
        [t.open.name, <bdi key="name">{showable(facts.name) || t.transfers.unnamed}</bdi>],
        [t.open.size, facts.size === null ? t.unknown : formatBytes(facts.size, t)],
        [t.open.pack, formatBytes(facts.packLength, t)],
        [t.open.free, facts.freeBytes === null ? t.unknown : formatBytes(facts.freeBytes, t)],
      ]}
    />
  );
}
