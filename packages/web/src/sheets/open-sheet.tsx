import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { Form } from "react-aria-components";
import type { Answer } from "@backroom/api/routes.ts";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Check, Facts, Field, Sheet, Trouble } from "../parts/basics.tsx";
import { formatBytes, showable } from "../parts/format.ts";
import { notify } from "../state/connection.ts";

const SETTLED_MS = 200;
/** The list of files comes, and no file until it is chosen. */
const NOTHING = [{ path: "", priority: "skip" as const }];

/** For a link: what it says, what is warned of, and Start. For an invite: joins. */
export function OpenSheet({
  text: first,
  onClose,
  onDone,
}: {
  readonly text: string;
  readonly onClose: () => void;
  readonly onDone: (id: string) => void;
}): ReactNode {
  const t = useMessages();
  const [text, setText] = useState(first);
  const [output, setOutput] = useState("");
  const [password, setPassword] = useState("");
  const [mirror, setMirror] = useState(false);
  const [seed, setSeed] = useState(true);
  const [wait, setWait] = useState(true);
  const [choosesFirst, setChoosesFirst] = useState(false);
  const [strong, setStrong] = useState(false);
  const [acceptsRelays, setAcceptsRelays] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const link = useSettled(text.trim());
  const isInvite = /^backroom-join:/i.test(link);
  const facts = useQuery({
    queryKey: ["link", link],
    queryFn: () => call("inspectLink", { link }),
    enabled: link !== "" && !isInvite,
    retry: false,
    gcTime: 0,
  });
  const known = facts.data;
  const asksForRelays = known !== undefined && !known.isNetworkKnown && known.joinRelayCount > 0;

  const start = async (): Promise<void> => {
    setError(null);
    setBusy(true);
    try {
      if (isInvite) {
        const { name } = await call("joinNetwork", { invite: link });
        notify({ level: "note", text: t.open.joined(showable(name)), transfer: null });
        onClose();
        return;
      }
      const { id } = await call("addGet", {
        link,
        mirror,
        seed,
        wait,
        profile: strong ? "strong" : "standard",
        accept: acceptsRelays ? ["link-relays"] : [],
        ...(choosesFirst && !mirror ? { choices: NOTHING } : {}),
        ...(output === "" ? {} : { output }),
        ...(password === "" ? {} : { password }),
      });
      onDone(id);
    } catch (problem) {
      setBusy(false);
      setError(problem);
    }
  };

  return (
    <Sheet title={t.open.title} onClose={onClose}>
      <Form
        className="sheet-body"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <Field
          label={t.open.link}
          hint={t.open.linkHint}
          value={text}
          onChange={setText}
          multiline
          autoFocus
        />
        <Trouble error={facts.error} />
        {known !== undefined && (
          <>
            <LinkFacts facts={known} />
            {known.transfer === null ? null : (
              <p>
                {t.open.already} <Button onPress={() => onDone(known.transfer ?? "")}>{t.open.show}</Button>
              </p>
            )}
            {known.fits === false && <p className="warning">{t.open.noFit}</p>}
            {known.kind === "locked" && (
              <>
                <p>{t.open.lockedText}</p>
                {!mirror && (
                  <Field label={t.open.password} type="password" value={password} onChange={setPassword} />
                )}
              </>
            )}
            {!mirror && (
              <Field label={t.open.folder} hint={t.open.folderDefault} value={output} onChange={setOutput} />
            )}
            <Check isSelected={mirror} onChange={setMirror}>
              {t.open.mirror}
            </Check>
            {!mirror && (
              <Check isSelected={seed} onChange={setSeed}>
                {t.open.seed}
              </Check>
            )}
            {!mirror && (
              <Check isSelected={choosesFirst} onChange={setChoosesFirst}>
                {t.open.chooseFirst}
              </Check>
            )}
            <Check isSelected={wait} onChange={setWait}>
              {t.open.wait}
            </Check>
            <Check isSelected={strong} onChange={setStrong}>
              {t.open.strong}
            </Check>
            {asksForRelays && (
              <div className="warning">
                <p>{t.open.linkRelays}</p>
                <Check isSelected={acceptsRelays} onChange={setAcceptsRelays}>
                  {t.open.accept}
                </Check>
              </div>
            )}
            <p className="muted">{t.open.warning}</p>
          </>
        )}
        <Trouble error={error} />
        <div className="row end">
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button
            kind="primary"
            type="submit"
            isDisabled={isBusy || (!isInvite && known === undefined) || (asksForRelays && !acceptsRelays)}
          >
            {t.start}
          </Button>
        </div>
      </Form>
    </Sheet>
  );
}

/** A text once nothing has been typed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
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
