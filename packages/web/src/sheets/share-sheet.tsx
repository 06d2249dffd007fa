import { useState, type ReactNode } from "react";
import { FileTrigger, Form } from "react-aria-components";
import type { Request } from "@backroom/api/routes.ts";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Bar } from "../parts/bar.tsx";
import { Button, Check, Field, Sheet, Trouble } from "../parts/basics.tsx";
import { formatBytes, showable } from "../parts/format.ts";
import { fromInput, totalSize, type PickedFile } from "../state/picked-files.ts";

const NAMES_SHOWN = 6;

/** What is said of a share besides its files. */
type Seal = Omit<Request<"shareUpload">, "id">;

/** Files that were chosen here go to the daemon as streams; paths are read by the daemon where they are. */
export function ShareSheet({
  files: first,
  onClose,
  onDone,
}: {
  readonly files: readonly PickedFile[];
  readonly onClose: () => void;
  readonly onDone: (id: string) => void;
}): ReactNode {
  const t = useMessages();
  const [files, setFiles] = useState(first);
  const [paths, setPaths] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [strong, setStrong] = useState(false);
  const [sent, setSent] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);

  const start = async (): Promise<void> => {
    const named = paths
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    if (files.length === 0 && named.length === 0) {
      setError({ message: t.share.nothing });
      return;
    }
    const seal: Seal = {
      ...(name === "" ? {} : { name }),
      ...(password === "" ? {} : { password }),
      profile: strong ? "strong" : "standard",
    };
    setError(null);
    setSent(0);
    try {
      onDone(
        files.length > 0
          ? await upload(files, seal, setSent)
          : (await call("addShare", { paths: named, ...seal })).id,
      );
    } catch (problem) {
      setSent(null);
      setError(problem);
    }
  };

  return (
    <Sheet title={t.share.title} onClose={onClose}>
      <Form
        className="sheet-body"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <Pickers onPick={setFiles} />
        {files.length === 0 ? (
          <Field label={t.share.paths} hint={t.share.pathsHint} value={paths} onChange={setPaths} multiline />
        ) : (
          <Picked files={files} />
        )}
        <Field label={t.share.name} hint={t.share.keepsName} value={name} onChange={setName} />
        <Field
          label={t.share.password}
          hint={t.share.passwordHint}
          type="password"
          value={password}
          onChange={setPassword}
        />
        <Check isSelected={strong} onChange={setStrong}>
          {t.share.strong}
        </Check>
        <Trouble error={error} />
        {sent !== null && files.length > 0 && <Sending sent={sent} total={totalSize(files)} />}
        <div className="row end">
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button kind="primary" type="submit" isDisabled={sent !== null}>
            {t.start}
          </Button>
        </div>
      </Form>
    </Sheet>
  );
}

/** Sends the files one after the other, telling how many bytes are there, and shares them. What was sent of them is dropped where that fails. */
async function upload(
  files: readonly PickedFile[],
  seal: Seal,
  onSent: (bytes: number) => void,
): Promise<string> {
  const { id } = await call("beginUpload");
  try {
    let done = 0;
    for (const { path, file } of files) {
      onSent(done);
      await call("uploadFile", { id, path }, { bytes: file });
      done += file.size;
    }
    return (await call("shareUpload", { id, ...seal })).id;
  } catch (problem) {
    await call("dropUpload", { id }).catch(() => {});
    throw problem;
  }
}

function Pickers({ onPick }: { readonly onPick: (files: readonly PickedFile[]) => void }): ReactNode {
  const t = useMessages();
  return (
    <div className="row">
      <FileTrigger allowsMultiple onSelect={(list) => onPick(fromInput(list ?? []))}>
        <Button autoFocus>{t.share.files}</Button>
      </FileTrigger>
      <FileTrigger acceptDirectory onSelect={(list) => onPick(fromInput(list ?? []))}>
        <Button>{t.share.folder}</Button>
      </FileTrigger>
    </div>
  );
}

function Picked({ files }: { readonly files: readonly PickedFile[] }): ReactNode {
  const t = useMessages();
  return (
    <div className="picked">
      <p>{t.share.selected(files.length, formatBytes(totalSize(files), t))}</p>
      <ul>
        {files.slice(0, NAMES_SHOWN).map(({ path }) => (
          <li key={path}>
            <bdi>{showable(path)}</bdi>
          </li>
        ))}
        {files.length > NAMES_SHOWN && <li>…</li>}
      </ul>
    </div>
  );
}

function Sending({ sent, total }: { readonly sent: number; readonly total: number }): ReactNode {
  const t = useMessages();
  return (
    <div role="status">
      <Bar label={t.share.title} value={total === 0 ? 0 : sent / total} />
      <p className="muted">{t.share.sending(formatBytes(sent, t), formatBytes(total, t))}</p>
    </div>
  );
}
