import assert from "node:assert/strict";
import { test } from "node:test";
import { cgroupLimits, type CgroupLimits } from "../../src/doctor/cgroup.ts";
import { physicalCores } from "../../src/doctor/cpu-topology.ts";
import { fileSystemOf, parseMounts } from "../../src/doctor/mounts.ts";

const reader =
  (files: Readonly<Record<string, string>>) =>
  (file: string): string | undefined =>
    files[file];

const GROUPS: readonly (readonly [what: string, Readonly<Record<string, string>>, CgroupLimits])[] = [
  ["no cgroups", {}, { memoryBytes: undefined, cores: undefined }],
  [
    "v2 without limits",
    {
      "/proc/self/cgroup": "0::/user.slice\n",
      "/sys/fs/cgroup/user.slice/memory.max": "max\n",
      "/sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
    },
    { memoryBytes: undefined, cores: undefined },
  ],
  [
    "a container of v2",
    {
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/memory.max": "2147483648\n",
      "/sys/fs/cgroup/cpu.max": "150000 100000\n",
    },
    { memoryBytes: 2_147_483_648, cores: 1.5 },
  ],
  [
    "v2, the narrower limit further up",
    {
      "/proc/self/cgroup": "0::/a.slice/b.service\n",
      "/sys/fs/cgroup/a.slice/memory.max": "1000\n",
      "/sys/fs/cgroup/a.slice/b.service/memory.max": "5000\n",
      "/sys/fs/cgroup/a.slice/b.service/cpu.max": "50000 100000\n",
      "/sys/fs/cgroup/a.slice/cpu.max": "max 100000\n",
    },
    { memoryBytes: 1000, cores: 0.5 },
  ],
  [
    "a container of v1 that is told the host's path",
    {
      "/proc/self/cgroup": "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    },
    { memoryBytes: 1_073_741_824, cores: 2 },
  ],
  [
    "v1 without limits",
    {
      "/proc/self/cgroup": "4:memory:/\n1:cpu:/\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    },
    { memoryBytes: undefined, cores: undefined },
  ],
  [
    "v1 and v2 at once",
    {
      "/proc/self/cgroup": "4:memory:/x\n0::/y\n",
      "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "4000\n",
      "/sys/fs/cgroup/unified/y/cpu.max": "300000 100000\n",
    },
    { memoryBytes: 4000, cores: 3 },
  ],
  [
    "nonsense",
    {
      "/proc/self/cgroup": "0::/\nx\n0:/\n",
      "/sys/fs/cgroup/memory.max": "lots\n",
      "/sys/fs/cgroup/cpu.max": "1\n",
    },
    { memoryBytes: undefined, cores: undefined },
  ],
];

for (const [what, files, limits] of GROUPS) {
  test(`limits of ${what}`, () => assert.deepEqual(cgroupLimits(reader(files)), limits));
}

/** Would catch: hyper-threads counted as cores, and cores that this process may not use. */
test("two hyper-threads are one core, and only what this process may use counts", () => {
  const pair = (first: number, second: number): Record<string, string> =>
    Object.fromEntries(
      [first, second].map((cpu) => [
        `/sys/devices/system/cpu/cpu${cpu}/topology/core_cpus_list`,
        `${first},${second}\n`,
      ]),
    );
  const topology = { ...pair(0, 4), ...pair(1, 5), ...pair(2, 6), ...pair(3, 7) };
  const cores = (allowed: string): number | undefined =>
    physicalCores(reader({ ...topology, "/proc/self/status": `Cpus_allowed_list:\t${allowed}\n` }));
  assert.equal(cores("0-7"), 4);
  assert.equal(cores("0,4"), 1);
  assert.equal(cores("0-1,4-5"), 2);
  assert.equal(cores("0-3"), 4);
  // Eight and nine are offline, or never were.
  assert.equal(cores("0,8-9"), 1);
  assert.equal(cores("8-9"), undefined);
  assert.equal(physicalCores(reader(topology)), undefined);
});

test("the cores of a kernel that calls its lists otherwise", () => {
  const files = {
    "/proc/self/status": "Name:\tx\nCpus_allowed_list:\t0-1\nx: y\n",
    "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0-1\n",
    "/sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "0-1\n",
  };
  assert.equal(physicalCores(reader(files)), 1);
});

test("the file system of a folder is that of the innermost mount, and the last one there", () => {
  const mounts = parseMounts(
    [
      "/dev/sda1 / ext4 rw 0 0",
      "server:/home /home nfs4 rw 0 0",
      "/dev/sdb1 /home/ann/my\\040disk btrfs rw 0 0",
      "tmpfs /mnt tmpfs rw 0 0",
      "//server/x /mnt cifs rw 0 0",
      "",
    ].join("\n"),
  );
  assert.equal(fileSystemOf("/var", mounts), "ext4");
  assert.equal(fileSystemOf("/homestead", mounts), "ext4");
  assert.equal(fileSystemOf("/home/ann", mounts), "nfs4");
  assert.equal(fileSystemOf("/home/ann/my disk/in", mounts), "btrfs");
  assert.equal(fileSystemOf("/mnt/x", mounts), "cifs");
  assert.equal(fileSystemOf("/x", []), undefined);
});
