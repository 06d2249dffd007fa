/** A file that was chosen or dropped, with its place below what was. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

/** More are for the command line, which reads them where they are. */
const PICKED_MOST = 20_000;

export function fromInput(files: Iterable<File>): PickedFile[] {
  return [...files]
    .slice(0, PICKED_MOST)
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** All files of a drop, those in folders included. What it holds has to be taken before the event is over. */
export async function fromDrop(transfer: DataTransfer): Promise<PickedFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = items.flatMap((item) => item.webkitGetAsEntry() ?? []);
  // What another page or a program made has no place in a folder.
  if (entries.length === 0) return fromInput(transfer.files);
  const found: PickedFile[] = [];
  for (const entry of entries) await collect(entry, "", found);
  return found;
}

async function collect(entry: FileSystemEntry, before: string, found: PickedFile[]): Promise<void> {
  if (found.length >= PICKED_MOST) return;
  const path = before + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    found.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // It gives a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const one of some) await collect(one, `${path}/`, found);
  }
}

export function totalSize(files: readonly PickedFile[]): number {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}
