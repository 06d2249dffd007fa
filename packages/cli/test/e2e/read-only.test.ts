import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { BACKROOM } from "../support/network.ts";

/** As the image that Containerfile makes has it, with the volume in another place. */
const ENVIRONMENT = {
  HOME: "/mnt",
  XDG_DATA_HOME: "/mnt",
  XDG_CONFIG_HOME: "/mnt/config",
  XDG_CACHE_HOME: "/tmp",
  BACKROOM_PAGE_ENABLED: "false",
  BACKROOM_FOREGROUND: "",
  CHECKOUT: path.resolve(import.meta.dirname, "../../../.."),
};

/** In a mount namespace of its own: what is not /tmp or the volume cannot be written, and no capability is left to change that. A checkout below /tmp is put back there. */
const CONTAINER = `set -e
exec 3<"$CHECKOUT"
mount -t tmpfs -o mode=1777,size=16m none /tmp
mount -t tmpfs -o mode=700,size=64m none /mnt
if ! [ -e "$CHECKOUT" ]; then
  mkdir -p "$CHECKOUT"
  mount --no-canonicalize --bind /proc/self/fd/3 "$CHECKOUT"
  mount -o remount,bind,ro "$CHECKOUT"
fi
exec 3<&-
mount -o remount,bind,ro /
cd /
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"`;

/** Exit statuses from 90 on say which step failed. */
const INSIDE = `
touch /var/x 2>/dev/null && exit 90
"$@" --quiet daemon status 2>/dev/null && exit 91
"$@" daemon run & daemon=$!
n=0; until "$@" --quiet daemon status 2>/dev/null; do n=$((n+1)); [ $n -lt 100 ] || exit 92; sleep 0.1; done
"$@" ls || exit 93
kill -TERM $daemon
wait $daemon || exit 94
"$@" --quiet daemon status 2>/dev/null && exit 95
ls /mnt/backroom`;

/**
 * Would catch: state that is put beside the program, or into a home that is not there; a health check that says well of a daemon that is not there, or the
 * contrary.
 */
test(
  "the daemon runs as in a container: a root that cannot be written, no rights, a volume",
  { timeout: 120_000 },
  (t) => {
    if (!havePartners(t, "mountns", "setpriv")) return;
    const inside = ["sh", "-c", INSIDE, "inside", ...BACKROOM];
    const run = spawnSync("unshare", ["--mount", "sh", "-c", CONTAINER, "container", ...inside], {
      encoding: "utf8",
      env: { ...process.env, ...ENVIRONMENT },
      timeout: 100_000,
      killSignal: "SIGKILL",
    });
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
    assert.match(run.stdout, /daemon\.log/);
  },
);
