import assert from "node:assert/strict";
import { once } from "node:events";
import { execFile } from "node:child_process";
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startOwnThread } from "../../src/base/own-thread.ts";
import { withFolder } from "../store/temporary.ts";

/** Would catch: compiled code of threads that is kept where no later run looks, and an environment with a person's secrets in every thread. */
test("a thread keeps compiled code where its process does, and knows nothing else of its environment", async () => {
  await withFolder(async (folder) => {
    enableCompileCache(folder);
    const says = `import { getCompileCacheDir } from "node:module";
      import { parentPort } from "node:worker_threads";
      parentPort.postMessage([getCompileCacheDir(), Object.keys(process.env)]);`;
    const worker = startOwnThread(
      "unpack-worker",
      new URL(`data:text/javascript,${encodeURIComponent(says)}`),
      {},
    );
    assert.ok(worker !== undefined);
    const [[kept, names]] = (await once(worker, "message")) as [[string, string[]]];
    await once(worker, "exit");
    assert.equal(kept, getCompileCacheDir());
    assert.deepEqual(names, ["NODE_COMPILE_CACHE"]);
  });
});

/** Would catch: a pack of many files that cannot be opened in a container with few threads. */
test("where there is no thread, packs are opened without one", async () => {
  await withFolder(async (folder) => {
    const child = fileURLToPath(new URL("without-threads-child.ts", import.meta.url));
    const rights = ["--permission", "--allow-fs-read=*", `--allow-fs-write=${folder}`];
    await promisify(execFile)(process.execPath, [...rights, child, folder]);
  });
});
