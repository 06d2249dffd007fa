import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { useEffect, type ReactNode } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import type { Messages } from "../messages/en.ts";
import { useMessages } from "../messages/languages.tsx";
import { Bar } from "../parts/bar.tsx";
import { Button, Facts } from "../parts/basics.tsx";
import { Words } from "../parts/daemon-words.tsx";
import { FileList } from "../parts/file-list.tsx";
import { formatBytes, formatDuration, formatRate, fraction, partOf, showable } from "../parts/format.ts";
import { NoteList } from "../parts/note-list.tsx";
import { PieceMap } from "../parts/piece-map.tsx";
import { RoutePicture } from "../parts/route-picture.tsx";
import { TransferActions } from "../parts/transfer-actions.tsx";
import { toneOf } from "../parts/transfer-table.tsx";
import { ask } from "../state/asking.ts";
import { chosen } from "../state/choice.ts";
import { network } from "../state/connection.ts";
import { useLive } from "../state/live.ts";
import { useTransfer } from "../state/transfers.ts";

export function TransferPage({ id }: { readonly id: string }): ReactNode {
  const t = useMessages();
  const transfer = useTransfer(id);
  useEffect(() => chosen.set(id), [id]);
  if (transfer === undefined) return <p>{t.transfer.gone}</p>;
  const name = showable(transfer.name) || t.transfers.unnamed;
  return (
    <article className="transfer">
      <a href="#/transfers" className="back">
        ‹ {t.nav.transfers}
      </a>
      <header className="transfer-head">
        <div>
          <h1>
            <bdi>{name}</bdi>
          </h1>
          <p className="muted">{[t.role[transfer.role], ...partOf(transfer, t)].join(" · ")}</p>
        </div>
        <div className="row">
          {transfer.kind !== null && (
            <Button kind="primary" onPress={() => ask({ kind: "links", id })}>
              {t.action.link}
            </Button>
          )}
          <TransferActions transfer={transfer} />
        </div>
      </header>
      <Progress transfer={transfer} />
      {transfer.failure !== null && (
        <div className="trouble" role="alert">
          <Words words={transfer.failure} />
        </div>
      )}
      {transfer.state === "choosing" && (
        <p className="warning" role="status">
          {t.files.nothing}
        </p>
      )}
      {transfer.waits !== null && transfer.state !== "choosing" && (
        <div className="warning" role="status">
          <Words words={{ ...transfer.waits, what: transfer.waits.why, why: undefined }} />
        </div>
      )}
      <Tabs className="tabs">
        <TabList aria-label={t.action.details}>
          <Tab id="files">{t.transfer.files}</Tab>
          <Tab id="pieces">{t.transfer.pieces}</Tab>
          <Tab id="route">{t.transfer.route}</Tab>
          <Tab id="about">{t.transfer.about}</Tab>
          <Tab id="log">{t.transfer.log}</Tab>
        </TabList>
        <TabPanel id="files">
          <FileList transfer={transfer} />
        </TabPanel>
        <TabPanel id="pieces">
          <PieceMap id={id} doneBytes={transfer.doneBytes} />
        </TabPanel>
        <TabPanel id="route">
          <Route role={transfer.role} />
        </TabPanel>
        <TabPanel id="about">
          <About transfer={transfer} />
        </TabPanel>
        <TabPanel id="log">
          <NoteList id={id} />
        </TabPanel>
      </Tabs>
    </article>
  );
}

function Progress({ transfer }: { readonly transfer: Transfer }): ReactNode {
  const t = useMessages();
  const { downloadRate, uploadRate, secondsLeft, doneBytes, totalBytes } = transfer;
  return (
    <div className="progress">
      <Bar label={t.transfers.progress} value={fraction(transfer)} tone={toneOf(transfer)} />
      <p>
        <strong>{t.state[transfer.state]}</strong>
        {doneBytes < totalBytes && ` · ${formatBytes(doneBytes, t)} / ${formatBytes(totalBytes, t)}`}
        {totalBytes > 0 && doneBytes >= totalBytes && ` · ${formatBytes(totalBytes, t)}`}
        {downloadRate > 0 && ` · ↓ ${formatRate(downloadRate, t)}`}
        {uploadRate > 0 && ` · ↑ ${formatRate(uploadRate, t)}`}
        {secondsLeft !== null && ` · ${t.transfer.left(formatDuration(secondsLeft))}`}
        {transfer.peerCount > 0 && ` · ${t.transfers.peers}: ${transfer.peerCount}`}
      </p>
    </div>
  );
}

function About({ transfer }: { readonly transfer: Transfer }): ReactNode {
  const t = useMessages();
  return (
    <>
      <Facts
        rows={[
          [t.open.size, filesText(transfer, t)],
          [t.transfer.pack, transfer.packLength === null ? t.unknown : formatBytes(transfer.packLength, t)],
          [t.transfer.downloaded, formatBytes(transfer.downloadedBytes, t)],
          [t.transfer.uploaded, formatBytes(transfer.uploadedBytes, t)],
          [t.transfer.gates, String(transfer.gateCount)],
          [t.transfer.created, t.time(transfer.createdMs)],
          [t.transfer.finished, transfer.finishedMs === null ? "–" : t.time(transfer.finishedMs)],
          ...(transfer.paths.length === 0
            ? []
            : [
                [
                  t.transfer.at,
                  transfer.paths.map((path) => <bdi key={path}>{showable(path)}</bdi>),
                ] as const,
              ]),
        ]}
      />
      {transfer.leftOutCount > 0 && <p className="warning">{t.transfer.leftOut(transfer.leftOutCount)}</p>}
    </>
  );
}

function filesText(transfer: Transfer, t: Messages): string {
  const { size, chosenSize, fileCount, skippedCount } = transfer;
  if (size === null) return t.unknown;
  if (fileCount !== null && chosenSize !== null && skippedCount > 0) {
    return t.files.chosen(
      fileCount - skippedCount,
      fileCount,
      formatBytes(chosenSize, t),
      formatBytes(size, t),
    );
  }
  const text = formatBytes(size, t);
  return fileCount === null ? text : t.files.count(fileCount, text);
}

/** The circuits that serve transfers of this kind: which one serves which is nobody's to know, also not of this page. */
function Route({ role }: { readonly role: Transfer["role"] }): ReactNode {
  const t = useMessages();
  const net = useLive(network);
  const wanted = role === "share" ? ["seeder"] : ["downloader", "lookup", "seeder"];
  const circuits = net?.circuits.filter(({ purpose }) => wanted.includes(purpose)) ?? [];
  if (circuits.length === 0) return <p className="muted">{t.network.noCircuits}</p>;
  return <RoutePicture circuits={circuits} />;
}
