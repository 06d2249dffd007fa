import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openDataFolder, type DataFolder } from "@backroom/core/node/data-folder.ts";
import { dataFolderRow } from "../../src/doctor/folder-rows.ts";
import { permissionsRow } from "../../src/doctor/permissions.ts";
import { tryListening } from "../../src/doctor/port-rows.ts";
import { knock } from "../../src/doctor/proxy-row.ts";

const EXT4 = { freeBytes: 1, fileSystem: "ext4" };

async function withFolder(work: (folder: DataFolder) => Promise<void>): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), "backroom-doctor-"));
  try {
    await work(await openDataFolder(root));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

test("a data folder that works, and nothing is left in it", async () => {
  await withFolder(async (folder) => {
    const before = await readdir(folder.root);
    const row = await dataFolderRow(folder, EXT4);
    assert.equal(row.status, "ok");
    assert.match(row.found, /^ext4: writing, lasting and locking work/);
    assert.deepEqual(await readdir(folder.root), before);
  });
});

test("a data folder that cannot be written fails, and says at what", async () => {
  const folder = { root: "/proc/1/nowhere" } as DataFolder;
  const row = await dataFolderRow(folder, EXT4);
  assert.equal(row.status, "fail");
  assert.match(row.found, /^files cannot be written: E[A-Z]+$/);
});

test("a file system on another computer is told, by every name that it goes by", async () => {
  await withFolder(async (folder) => {
    for (const fileSystem of [
      "nfs4",
      "nfs",
      "cifs",
      "smb3",
      "smbfs",
      "9p",
      "fuse.sshfs",
      "fuse.rclone",
      "CIFS",
    ]) {
      assert.equal((await dataFolderRow(folder, { freeBytes: 1, fileSystem })).status, "warn", fileSystem);
    }
    for (const fileSystem of [
      "ext4",
      "btrfs",
      "zfs",
      "xfs",
      "apfs",
      "NTFS",
      "tmpfs",
      "overlay",
      "fuseblk",
      "fuse.ntfs-3g",
      undefined,
    ]) {
      assert.equal((await dataFolderRow(folder, { freeBytes: 1, fileSystem })).status, "ok", fileSystem);
    }
  });
});

/** Would catch: keys that other users can read, also deep down, and a warning about a folder as the program itself makes it. */
test("what others may read is counted, wherever it lies", async () => {
  await withFolder(async (folder) => {
    const config = path.join(folder.root, "..", `none-${process.pid}`);
    const key = path.join(folder.relay, "keys");
    await writeFile(key, "x", { mode: 0o600 });
    assert.equal((await permissionsRow(folder, config, "linux")).status, "ok");
    await chmod(key, 0o640);
    const row = await permissionsRow(folder, config, "linux");
    assert.equal(row.status, "fail");
    assert.match(row.found, /^1 of \d+ files and folders/);
    assert.match(row.fix ?? "", /chmod -R go-rwx/);
    await chmod(folder.packs, 0o755);
    assert.match((await permissionsRow(folder, config, "linux")).found, /^2 of/);
    assert.equal((await permissionsRow(folder, config, "win32")).status, "unknown");
  });
});

test("a settings file that others may change is told; one that they may read holds no secret", async () => {
  await withFolder(async (folder) => {
    const elsewhere = await mkdtemp(path.join(tmpdir(), "backroom-config-"));
    try {
      const file = path.join(elsewhere, "config.toml");
      await writeFile(file, "");
      await chmod(file, 0o644);
      assert.equal((await permissionsRow(folder, file, "linux")).status, "ok");
      await chmod(file, 0o664);
      assert.match((await permissionsRow(folder, file, "linux")).found, /others may change/);
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });
});

test("a port is free or taken, and somebody is behind it or not", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  assert.equal(await tryListening("127.0.0.1", port), "EADDRINUSE");
  assert.equal(await knock("127.0.0.1", port), true);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await tryListening("127.0.0.1", port), undefined);
  assert.equal(await knock("127.0.0.1", port), false);
});
