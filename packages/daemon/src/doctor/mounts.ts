import path from "node:path";

/** A file system as the system mounted it. */
export interface Mount {
  readonly folder: string;
  readonly fileSystem: string;
}

/** Of /proc/self/mounts, where blanks in paths are written as `\040`. */
export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [, folder, fileSystem] = line.split(" ");
    if (folder === undefined || fileSystem === undefined) return [];
    const plain = folder.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCodePoint(Number.parseInt(octal, 8)),
    );
    return [{ folder: plain, fileSystem }];
  });
}

/** The file system that a folder, given by its real path, lies on: the innermost mount around it, the last one where several are at a place. */
export function fileSystemOf(folder: string, mounts: readonly Mount[]): string | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const within = path.relative(mount.folder, folder);
    if (within.startsWith("..") || path.isAbsolute(within)) continue;
    if (best === undefined || mount.folder.length >= best.folder.length) best = mount;
  }
  return best?.fileSystem;
}
