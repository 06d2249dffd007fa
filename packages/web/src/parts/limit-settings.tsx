import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Answer } from "@backroom/api/routes.ts";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { cellsOf, rulesOf } from "../state/week.ts";
import { Button, Field, Section, Trouble } from "./basics.tsx";
import { WeekGrid } from "./week-grid.tsx";

type Status = Answer<"limits">;
type Limits = Status["always"];
const KINDS = ["downloadRate", "uploadRate", "relayRate"] as const;

export function LimitSettings(): ReactNode {
  const t = useMessages();
  const limits = useQuery({ queryKey: ["limits"], queryFn: () => call("limits") });
  return (
    <Section title={t.settings.limits} text={t.settings.limitsText}>
      <Trouble error={limits.error} />
      {limits.data !== undefined && <LimitForm key={JSON.stringify(limits.data)} status={limits.data} />}
    </Section>
  );
}

function LimitForm({ status }: { readonly status: Status }): ReactNode {
  const t = useMessages();
  const queries = useQueryClient();
  const [always, setAlways] = useState(textsOf(status.always));
  const [slow, setSlow] = useState(textsOf(status.schedule[0]?.limits));
  const [cells, setCells] = useState(() => cellsOf(status.schedule));
  const save = useMutation({
    mutationFn: () =>
      call("setLimits", { always: limitsOf(always), schedule: rulesOf(cells, namedOf(slow)) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["limits"] }),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Rates values={always} onChange={setAlways} />
      <h3>{t.settings.schedule}</h3>
      <p className="muted">{t.settings.scheduleText}</p>
      <Rates values={slow} onChange={setSlow} />
      <WeekGrid cells={cells} onChange={setCells} />
      <Trouble error={save.error} />
      <div className="row end">
        <Button type="submit" kind="primary" isDisabled={save.isPending}>
          {t.save}
        </Button>
      </div>
    </form>
  );
}

type Texts = Readonly<Record<(typeof KINDS)[number], string>>;

function Rates({
  values,
  onChange,
}: {
  readonly values: Texts;
  readonly onChange: (values: Texts) => void;
}): ReactNode {
  const t = useMessages();
  const labels = {
    downloadRate: t.settings.download,
    uploadRate: t.settings.upload,
    relayRate: t.settings.relayRate,
  };
  return (
    <div className="row">
      {KINDS.map((kind) => (
        <Field
          key={kind}
          label={labels[kind]}
          value={values[kind]}
          inputMode="numeric"
          onChange={(text) => onChange({ ...values, [kind]: text.replace(/\D/g, "") })}
        />
      ))}
    </div>
  );
}

/** In kB per second, as people type it; the API has bytes. */
function textsOf(limits: Answer<"limits">["schedule"][number]["limits"] | undefined): Texts {
  const text = (rate: number | null | undefined): string =>
    rate == null ? "" : String(Math.round(rate / 1000));
  return {
    downloadRate: text(limits?.downloadRate),
    uploadRate: text(limits?.uploadRate),
    relayRate: text(limits?.relayRate),
  };
}

function limitsOf(texts: Texts): Limits {
  const rate = (text: string): number | null => (text === "" ? null : Number(text) * 1000);
  return {
    downloadRate: rate(texts.downloadRate),
    uploadRate: rate(texts.uploadRate),
    relayRate: rate(texts.relayRate),
  };
}

/** What is left empty is then as always. */
function namedOf(texts: Texts): Partial<Limits> {
  return Object.fromEntries(Object.entries(limitsOf(texts)).filter(([, rate]) => rate !== null));
}
