import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Field, Section, Trouble } from "./basics.tsx";
import { KeptList } from "./kept-list.tsx";

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
      <KeptList
        items={
          watches.data?.watches.map(({ id, folder: name, sharedCount }) => ({
            id,
            name,
            note: t.settings.watchShared(sharedCount),
          })) ?? []
        }
        removal={t.action.remove}
        onRemove={(id) => remove.mutate(id)}
      />
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
