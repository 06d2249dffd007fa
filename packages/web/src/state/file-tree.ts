import type { Answer } from "@backroom/api/routes.ts";

export type FileEntry = Answer<"files">["files"][number];
export type FilePriority = FileEntry["priority"];
/** For a file or a folder with all that is beneath it; an empty path is everything. */
export interface FileChoice {
  readonly path: string;
  readonly priority: FilePriority;
}

/** A file, or a folder with what its files come to. */
export interface FileNode {
  readonly path: string;
  readonly name: string;
  /** 1 at the top; the root, which is not shown, has 0. */
  readonly level: number;
  /** Undefined for a folder. */
  readonly file: FileEntry | undefined;
  /** Folders first. */
  readonly children: readonly FileNode[];
  readonly size: number;
  /** Of what is chosen. */
  readonly doneBytes: number;
  readonly fileCount: number;
  readonly chosenCount: number;
  readonly chosenBytes: number;
  readonly priority: FilePriority | "mixed";
}

/** A node in sight, with its place among its siblings from 1. */
export interface FileRow {
  readonly node: FileNode;
  readonly place: number;
  readonly siblings: number;
}

interface Folder {
  readonly path: string;
  readonly folders: Map<string, Folder>;
  readonly files: FileEntry[];
}

/** Nobody walks deeper. What is there stands in the deepest folder with the rest of its path for a name, or a name of a thousand folders would be a stack too deep. */
const LEVELS_MOST = 64;

/** The root of what a list of files comes to. */
export function treeOf(files: readonly FileEntry[]): FileNode {
  const root: Folder = { path: "", folders: new Map(), files: [] };
  let last = { path: "", folder: root };
  for (const file of files) {
    const end = file.path.lastIndexOf("/");
    const path = end === -1 ? "" : file.path.slice(0, end);
    // Files of one folder mostly come one after the other.
    if (path !== last.path) last = { path, folder: folderAt(root, path) };
    last.folder.files.push(file);
  }
  return folderNode(root, "", 0);
}

function folderAt(root: Folder, path: string): Folder {
  let folder = root;
  if (path === "") return folder;
  for (const name of path.split("/", LEVELS_MOST)) {
    let inner = folder.folders.get(name);
    if (inner === undefined) {
      inner = { path: folder.path === "" ? name : `${folder.path}/${name}`, folders: new Map(), files: [] };
      folder.folders.set(name, inner);
    }
    folder = inner;
  }
  return folder;
}

function folderNode({ path, folders, files }: Folder, name: string, level: number): FileNode {
  const children = [
    ...[...folders].map(([inner, folder]) => folderNode(folder, inner, level + 1)),
    ...files.map((file) => fileNode(file, level + 1, file.path.slice(path === "" ? 0 : path.length + 1))),
  ];
  const sum = { size: 0, doneBytes: 0, fileCount: 0, chosenCount: 0, chosenBytes: 0 };
  for (const child of children) {
    sum.size += child.size;
    sum.doneBytes += child.doneBytes;
    sum.fileCount += child.fileCount;
    sum.chosenCount += child.chosenCount;
    sum.chosenBytes += child.chosenBytes;
  }
  const [first, ...others] = children;
  const priority = first?.priority ?? "normal";
  const isMixed = others.some((child) => child.priority !== priority);
  return { path, name, level, file: undefined, children, ...sum, priority: isMixed ? "mixed" : priority };
}

function fileNode(file: FileEntry, level: number, name: string): FileNode {
  const { path, size, doneBytes, priority } = file;
  const isChosen = priority !== "skip";
  return {
    path,
    name,
    level,
    file,
    children: [],
    size,
    doneBytes: isChosen ? doneBytes : 0,
    fileCount: 1,
    chosenCount: isChosen ? 1 : 0,
    chosenBytes: isChosen ? size : 0,
    priority,
  };
}

/** What is in sight where `isOpen` says which folders are open. */
export function openRows(root: FileNode, isOpen: (folder: FileNode) => boolean): FileRow[] {
  const rows: FileRow[] = [];
  const add = ({ children }: FileNode): void => {
    for (const [at, node] of children.entries()) {
      rows.push({ node, place: at + 1, siblings: children.length });
      if (node.file === undefined && isOpen(node)) add(node);
    }
  };
  add(root);
  return rows;
}

/** The files whose path has `text` in it, in any case, each at the top with its whole path for a name. */
export function foundRows(files: readonly FileEntry[], text: string): FileRow[] {
  const wanted = text.toLowerCase();
  const found = files.filter(({ path }) => path.toLowerCase().includes(wanted));
  return found.map((file, at) => ({
    node: fileNode(file, 1, file.path),
    place: at + 1,
    siblings: found.length,
  }));
}

/** The files as the daemon will tell them once it knows of `choices`: later ones beat earlier ones, a folder's hold for all beneath it. */
export function withChoices(
  files: readonly FileEntry[],
  choices: readonly FileChoice[],
): readonly FileEntry[] {
  if (choices.length === 0) return files;
  const order = new Map<string, { readonly at: number; readonly priority: FilePriority }>();
  for (const [at, { path, priority }] of choices.entries()) order.set(path, { at, priority });
  return files.map((file) => {
    let last = order.get("");
    for (let end = file.path.indexOf("/"); ; end = file.path.indexOf("/", end + 1)) {
      const one = order.get(end === -1 ? file.path : file.path.slice(0, end));
      if (one !== undefined && (last === undefined || one.at > last.at)) last = one;
      if (end === -1) break;
    }
    return last === undefined || last.priority === file.priority
      ? file
      : { ...file, priority: last.priority };
  });
}
