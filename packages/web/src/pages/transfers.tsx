import { useState, type ReactNode } from "react";
import { ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useMessages } from "../messages/languages.tsx";
import { Field } from "../parts/basics.tsx";
import { TransferTable } from "../parts/transfer-table.tsx";
import { isLoaded, useTransfers } from "../state/transfers.ts";
import { useLive } from "../state/live.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { Welcome } from "./welcome.tsx";

const FILTERS = ["all", "active", "shared", "fetched"] as const;
type Filter = (typeof FILTERS)[number];

export function TransfersPage(): ReactNode {
  const t = useMessages();
  const transfers = useTransfers();
  const loaded = useLive(isLoaded);
  const [filter, setFilter] = useState<Filter>("all");
  const [search, setSearch] = useState("");
  if (!loaded) return <p className="muted">{t.loading}</p>;
  if (transfers.length === 0) return <Welcome />;
  const wanted = search.trim().toLowerCase();
  const shown = transfers.filter(
    (transfer) => fits(transfer, filter) && (wanted === "" || transfer.name.toLowerCase().includes(wanted)),
  );
  return (
    <div className="transfers">
      <div className="toolbar">
        <h1>{t.transfers.title}</h1>
        <ToggleButtonGroup
          className="filters"
          aria-label={t.transfers.title}
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[filter]}
          onSelectionChange={(keys) => setFilter([...keys][0] as Filter)}
        >
          {FILTERS.map((name) => (
            <ToggleButton key={name} id={name}>
              {t.transfers[name]}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        <div data-search>
          <Field label={t.transfers.search} type="search" value={search} onChange={setSearch} />
        </div>
      </div>
      {shown.length === 0 ? <p className="muted">{t.transfers.none}</p> : <TransferTable transfers={shown} />}
      <p className="muted shortcuts">
        {t.transfers.count(shown.length)} · {t.transfers.shortcuts}
      </p>
    </div>
  );
}

const ENDED: ReadonlySet<Transfer["state"]> = new Set(["paused", "done", "failed"]);

function fits({ state, role }: Transfer, filter: Filter): boolean {
  if (filter === "active") return !ENDED.has(state);
  if (filter === "shared") return role === "share";
  if (filter === "fetched") return role !== "share";
  return true;
}
