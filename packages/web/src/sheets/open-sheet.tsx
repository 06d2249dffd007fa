import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { Form } from "react-aria-components";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Field, Sheet, Trouble } from "../parts/basics.tsx";
import { showable } from "../parts/format.ts";
import { asksForRelays, FIRST_WISHES, LinkWishes, orderOf, type Wishes } from "../parts/link-wishes.tsx";
import { notify } from "../state/connection.ts";

const SETTLED_MS = 200;

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
  const [wishes, setWishes] = useState<Wishes>(FIRST_WISHES);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const link = useSettled(text.trim());
  const isInvite = /^backroom-join:/i.test(link);
  const { data: facts, error: unreadable } = useQuery({
    queryKey: ["link", link],
    queryFn: () => call("inspectLink", { link }),
    enabled: link !== "" && !isInvite,
    retry: false,
    gcTime: 0,
  });
  const isReady = isInvite || (facts !== undefined && (wishes.acceptsRelays || !asksForRelays(facts)));

  const join = async (): Promise<void> => {
    const { name } = await call("joinNetwork", { invite: link });
    notify({ level: "note", text: t.open.joined(showable(name)), transfer: null });
    onClose();
  };
  const start = async (): Promise<void> => {
    setError(null);
    setBusy(true);
    try {
      if (isInvite) await join();
      else onDone((await call("addGet", orderOf(link, wishes))).id);
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
        <Trouble error={unreadable} />
        {facts !== undefined && (
          <LinkWishes
            facts={facts}
            wishes={wishes}
            onChange={(changed) => setWishes((before) => ({ ...before, ...changed }))}
            onShow={onDone}
          />
        )}
        <Trouble error={error} />
        <div className="row end">
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button kind="primary" type="submit" isDisabled={isBusy || !isReady}>
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
