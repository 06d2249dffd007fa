import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { BACKROOM, TestNetwork } from "../support/network.ts";
import { runProgram, TestFolder, type Run } from "../support/program.ts";

const MIB = 1024 * 1024;

let network: TestNetwork;
let folder: TestFolder;
let link: string;
before(async () => {
  folder = await TestFolder.make();
  network = await TestNetwork.start(5);
  await writeFile(folder.join("film.mp4"), randomBytes(8 * MIB));
  const sharer = await network.run("sharer", ["share", folder.join("film.mp4")]);
  link = String((await sharer.line((line) => line.event === "result"))["link"]);
});
after(async () => {
  await network.close();
  await folder.remove();
});

/**
 * Runs a script where `$SMALL` is a disk of `size`, which goes with the script: it lives in a mount namespace of its own. `backroom` and
 * `$LINK` are there; `files` lists what is in a folder, sizes included.
 */
function onSmallDisk(size: string, script: string): Promise<Run> {
  const whole = `set -u; mkdir -p "$SMALL"; mount -t tmpfs -o size=${size} none "$SMALL"; backroom() { ${BACKROOM.map((part) => `'${part}'`).join(" ")} --json --data "$DATA" "$@" | tail -n 1; }
    files() { (cd "$1" && find . -type f -printf '%p %s\\n' | sort | sed 's/^/file /'); }
    ${script}`;
  const env = {
    SMALL: folder.join("small"),
    DATA: folder.join("member"),
    LINK: link,
    FILM: folder.join("film.mp4"),
  };
  return runProgram(["unshare", "-m", "bash", "-c", whole], { env });
}

/** The codes of the errors, or `result`, in the order of the script's commands. */
function outcomes(run: Run): unknown[] {
  return run.stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map(({ event, code }) => code ?? event);
}

function filesLeft(run: Run): string[] {
  return run.stdout.split("\n").filter((line) => line.startsWith("file "));
}

test("a pack that does not fit on the disk is said so and not left behind in part", async (t) => {
  if (!havePartners(t, "mountns")) return;
  const run = await onSmallDisk("3m", 'backroom seal "$FILM" -o "$SMALL/pack"; files "$SMALL"');
  assert.deepEqual([outcomes(run), filesLeft(run)], [["E_DISK_FULL"], []], run.stderr);
});

test("a share that does not fit into the data folder leaves the network there and no part of a pack", async (t) => {
  if (!havePartners(t, "mountns")) return;
  const run = await onSmallDisk(
    "3m",
    `DATA="$SMALL/data"; backroom network join '${network.invite}'; backroom share "$FILM"; files "$DATA/packs"; files "$DATA/shares"; files "$SMALL"`,
  );
  assert.deepEqual(outcomes(run), ["result", "E_DISK_FULL"], run.stderr + run.stdout);
  const left = filesLeft(run).map((line) => line.split(" ")[1]);
  assert.ok(left.some((file) => /networks\/\w+\.json$/.test(file ?? "")));
  assert.ok(
    left.every((file) => file?.startsWith("./data/networks/")),
    left.join("\n"),
  );
});

test("a download whose disk fills up keeps what came, and goes on with it once there is room", async (t) => {
  if (!havePartners(t, "mountns")) return;
  const run = await onSmallDisk(
    "12m",
    `DATA="$SMALL/data"; OUT='${folder.join("out-a")}'; head -c 6M /dev/zero > "$SMALL/other"
    backroom get "$LINK" --accept-link-relays -o "$OUT"; test -e "$OUT" && echo "file $OUT"
    rm "$SMALL/other"; backroom get "$LINK" --accept-link-relays -o "$OUT"
    cmp "$OUT/film.mp4" "$FILM" && echo '{"event":"same"}'; files "$DATA/packs"`,
  );
  assert.deepEqual(outcomes(run), ["E_DISK_FULL", "result", "same"], run.stderr + run.stdout);
  assert.deepEqual(filesLeft(run), []);
  const fetched = /"fetchedBytes":(\d+)/.exec(run.stdout)?.[1];
  assert.ok(Number(fetched) < 6 * MIB, `fetched ${fetched} bytes again`);
});

test("an output folder that fills up holds nothing of the share, and a second try fetches nothing twice", async (t) => {
  if (!havePartners(t, "mountns")) return;
  const run = await onSmallDisk(
    "4m",
    `DATA='${folder.join("member-b")}'
    backroom get "$LINK" --accept-link-relays -o "$SMALL"; files "$SMALL"; ls -A "$SMALL" | sed 's/^/file /'
    OUT='${folder.join("out-b")}'; backroom get "$LINK" --accept-link-relays -o "$OUT"
    cmp "$OUT/film.mp4" "$FILM" && echo '{"event":"same"}'`,
  );
  assert.deepEqual(outcomes(run), ["E_DISK_FULL", "result", "same"], run.stderr + run.stdout);
  assert.deepEqual(filesLeft(run), []);
  const fetched = /"fetchedBytes":(\d+)/.exec(run.stdout)?.[1];
  assert.ok(Number(fetched) < 8 * MIB, `fetched ${fetched} bytes, so all of it again`);
});
