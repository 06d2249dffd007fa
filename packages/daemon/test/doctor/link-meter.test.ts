import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { createLinkMeter, type LinkMeter } from "../../src/doctor/link-meter.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";

const MB = 1e6;
const DAY_MS = 24 * 3600 * 1000;

interface World {
  readonly clock: ManualClock;
  /** How often something was written down. */
  writes: number;
  readonly open: () => LinkMeter;
  /** Moves that many bytes, evenly, within ten seconds. */
  readonly move: (download: number, upload: number) => void;
}

function world(): World {
  const clock = new ManualClock();
  const catalogue = memoryCatalogue(clock);
  const totals = { downloadedBytes: 0, uploadedBytes: 0 };
  const self: World = {
    clock,
    writes: 0,
    open: () =>
      createLinkMeter({
        clock,
        catalogue: {
          value: (name) => catalogue.value(name),
          putValue(name, value) {
            self.writes++;
            catalogue.putValue(name, value);
          },
        },
        totals: () => ({ ...totals }),
      }),
    move(download, upload) {
      totals.downloadedBytes += download;
      totals.uploadedBytes += upload;
      clock.advance(10_000);
    },
  };
  return self;
}

test("the best ten seconds count, each way for itself", () => {
  const { open, move } = world();
  const meter = open();
  move(40 * MB, 10 * MB);
  move(10 * MB, 20 * MB);
  move(20 * MB, 5 * MB);
  assert.deepEqual(meter.rates(), { download: 4 * MB, upload: 2 * MB });
});

/** Would catch: a small share that was there at once, and makes a fast line look slow. */
test("nothing is said of a line before it had something to carry", () => {
  const { open, move } = world();
  const meter = open();
  assert.equal(meter.rates(), undefined);
  move(1 * MB, 0);
  assert.equal(meter.rates(), undefined);
  for (let i = 0; i < 99; i++) move(1 * MB, 0);
  assert.deepEqual(meter.rates(), { download: 0.1 * MB, upload: 0 });
});

test("it outlasts a restart and is forgotten after a month", () => {
  const { open, move, clock } = world();
  const meter = open();
  move(200 * MB, 0);
  meter.close();
  clock.advance(29 * DAY_MS);
  assert.deepEqual(open().rates(), { download: 20 * MB, upload: 0 });
  clock.advance(2 * DAY_MS);
  assert.equal(open().rates(), undefined);
});

/** Would catch: a disk that is written to every ten seconds for as long as something is transferred. */
test("little is written, and an idle daemon writes nothing", () => {
  const some = world();
  const meter = some.open();
  some.clock.advance(DAY_MS);
  assert.equal(some.writes, 0);
  for (let i = 0; i < 1000; i++) some.move(10 * MB, 10 * MB);
  assert.ok(some.writes <= 3, `${some.writes} writes`);
  meter.close();
  assert.equal(some.clock.timerCount, 0);
});

test("a computer that slept in the middle is no slow line, and none that is faster than it is", () => {
  const { open, move, clock } = world();
  const meter = open();
  move(200 * MB, 0);
  clock.advance(3_600_000);
  move(200 * MB, 0);
  assert.equal(meter.rates()?.download, 20 * MB);
});

test("what is kept in another form is measured anew", () => {
  const catalogue = memoryCatalogue();
  catalogue.putValue("link-rates", [{ day: "today" }]);
  const clock = new ManualClock();
  const meter = createLinkMeter({
    clock,
    catalogue,
    totals: () => ({ downloadedBytes: 0, uploadedBytes: 0 }),
  });
  assert.equal(meter.rates(), undefined);
  meter.close();
});
