import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Field, Section, Trouble } from "./basics.tsx";
import { showable } from "./format.ts";

export function WatchSettings(): ReactNode {
  const t = useMessages();
  const queries = useQueryClient();
  const [folder, setFolder] = useState("");
  const watches = useQuery({ queryKey: ["watches"], queryFn: () => call("listWatches") });
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ["watches"] });
  const add = useMutation({ mutationFn: () => call("addWatch", { folder }), onSuccess: again });
  const remove = useMutation({ mutationFn: (id: string) => call("removeWatch", { id }), onSuccess: again });
  return (
    <Section title={t.settings.watches} text={t.settings.watchesText}>
      <ul className="plain">
        {watches.data?.watches.map((watch) => (
          <li key={watch.id} className="row">
            <bdi>{showable(watch.folder)}</bdi>
            <span className="muted">{t.settings.watchShared(watch.sharedCount)}</span>
            <Button
              aria-label={`${t.action.remove}: ${showable(watch.folder)}`}
              onPress={() => remove.mutate(watch.id)}
            >
              {t.action.remove}
            </Button>
          </li>
        ))}
      </ul>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Field label={t.settings.watchFolder} value={folder} onChange={setFolder} />
        <Button type="submit" isDisabled={folder === ""}>
          {t.settings.watchAdd}
        </Button>
      </form>
      <Trouble error={add.error} />
    </Section>
  );
}
