import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { backroom, TestFolder, type Run } from "../support/program.ts";

const GiB = 1024 ** 3;

let folder: TestFolder;
before(async () => {
  folder = await TestFolder.make();
  await writeFile(folder.join("file"), "hello");
});
after(() => folder.remove());

/** Runs the program where the files of the kernel say that a container may use so much memory. */
function within(bytes: number, ...args: readonly string[]): Promise<Run> {
  const prepare = [
    "mount --make-rprivate /",
    "mount -t tmpfs tmpfs /sys/fs/cgroup",
    "mkdir /sys/fs/cgroup/memory",
    "echo $0 > /sys/fs/cgroup/memory.max",
    "echo $0 > /sys/fs/cgroup/memory/memory.limit_in_bytes",
    'exec "$@"',
  ].join(" && ");
  return backroom(["--data", folder.join("data"), ...args], {
    prefix: ["unshare", "-m", "sh", "-c", prepare, String(bytes)],
    env: { BACKROOM_CONFIG: folder.join("config.toml"), BACKROOM_RISK_ACCEPTED: "" },
  });
}

/** Would catch: a check that no command goes through, or that looks at the computer and past the container. */
test("a small container is refused, a short one runs once that is accepted, and the doctor runs in both", async (t) => {
  if (!havePartners(t, "mountns")) return;
  const seal = (name: string): readonly string[] => ["seal", folder.join("file"), "-o", folder.join(name)];
  const none = await within(GiB, "--accept-risk", ...seal("a.age"));
  assert.deepEqual([none.status, none.code], [7, "E_MACHINE"]);
  const short = await within(3 * GiB, ...seal("b.age"));
  assert.deepEqual([short.status, short.code], [7, "E_MACHINE"]);
  assert.match(short.stderr, /--accept-risk/);
  assert.equal((await within(3 * GiB, "--accept-risk", ...seal("c.age"))).status, 0);
  assert.equal((await within(3 * GiB, ...seal("d.age"))).status, 0);

  const ill = await within(GiB, "--json", "doctor");
  assert.deepEqual([ill.status, ill.code], [7, "E_DOCTOR"]);
  const [result] = ill.lines();
  const rows = result?.["rows"] as { check: string; status: string; found: string }[];
  const memory = rows.find(({ check }) => check === "memory");
  assert.equal(memory?.status, "fail");
  assert.match(memory?.found ?? "", /^1 GiB, by a limit/);
});

test("a daemon does not start there, and says why", async (t) => {
  if (!havePartners(t, "mountns")) return;
  const run = await within(GiB, "--accept-risk", "daemon", "run");
  assert.deepEqual([run.status, run.code], [7, "E_MACHINE"]);
});
