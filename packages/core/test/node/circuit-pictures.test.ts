import assert from "node:assert/strict";
import { test } from "node:test";
import { CircuitPictures } from "../../src/node/circuit-pictures.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { withWorld } from "./member-world.ts";

const secret = Buffer.alloc(32, 7);
const relays = Array.from({ length: 6 }, (_, number) => ({ nodeKey: Buffer.alloc(32, number + 1) }));

function newPictures(bySecret = secret) {
  const clock = new ManualClock();
  return { clock, pictures: new CircuitPictures(clock, bySecret) };
}

/** Would catch: the hop after next shown as a gate, a look-up that seems to end at a gate, an age in another unit. */
test("a picture names what each hop is for, outwards, and how old the circuit is", () => {
  const { clock, pictures } = newPictures();
  pictures.add({ alive: true }, "downloader", relays.slice(0, 3));
  clock.advance(1500);
  pictures.add({ alive: true }, "lookup", relays.slice(0, 4));
  pictures.add({ alive: true }, "directory", relays.slice(0, 3));
  const rolesOf = (index: number) => pictures.list()[index]?.hops.map(({ role }) => role);
  assert.deepEqual(rolesOf(0), ["guard", "middle", "gate"]);
  assert.deepEqual(rolesOf(1), ["guard", "middle", "middle", "scout"]);
  assert.deepEqual(rolesOf(2), ["guard", "middle", "relay"]);
  assert.deepEqual(
    pictures.list().map(({ ageMs }) => ageMs),
    [1500, 0, 0],
  );
});

/** Would catch: a name that is the relay's key, or a hash of it that anybody can make. */
test("a relay is told apart from others in one run, and by nobody who does not know the run's secret", () => {
  const { pictures } = newPictures();
  pictures.add({ alive: true }, "seeder", relays.slice(0, 3));
  pictures.add({ alive: true }, "seeder", relays.slice(2, 5));
  const [first, second] = pictures.list().map(({ hops }) => hops.map(({ key }) => key));
  assert.equal(first?.[2], second?.[0]);
  assert.equal(new Set([...(first ?? []), ...(second ?? [])]).size, 5);
  const other = newPictures(Buffer.alloc(32, 8)).pictures;
  other.add({ alive: true }, "seeder", relays.slice(0, 3));
  assert.notDeepEqual(
    other.list()[0]?.hops.map(({ key }) => key),
    first,
  );
});

/** Would catch: circuits of a daemon that runs for months pile up. */
test("dead circuits are shown no more, however seldom anybody looks", () => {
  const { pictures } = newPictures();
  const circuits = Array.from({ length: 1000 }, () => ({ alive: true }));
  for (const circuit of circuits) {
    pictures.add(circuit, "lookup", relays.slice(0, 3));
    circuit.alive = false;
  }
  assert.equal(pictures.list().length, 0);
  const alive = { alive: true };
  pictures.add(alive, "lookup", relays.slice(0, 3));
  assert.equal(pictures.list().length, 1);
  alive.alive = false;
  assert.equal(pictures.list().length, 0);
});

/** Would catch: pictures that nobody fills, or with a key or an address of the world in them. */
test("a member's pictures are of the circuits that it has, and say neither who nor where", async () => {
  await withWorld(9, async (world, folder) => {
    const { client, circuits } = await world.newMember(`${folder}/member`);
    const opening = client.open({ role: "lookup" });
    let isDone = false;
    void opening.finally(() => (isDone = true));
    await world.until(() => isDone, 60_000);
    const { circuit, path } = await opening;
    const [picture] = circuits.pictures();
    assert.equal(picture?.purpose, "lookup");
    assert.equal(picture.hops.length, path.length);
    const text = JSON.stringify(picture);
    for (const { key, endpoints } of path) {
      for (const secretText of [key.slice(0, 6), ...endpoints.map(({ host }) => host)]) {
        assert.ok(!text.includes(secretText), "a key or an address is in the picture");
      }
    }
    circuit.destroy();
    assert.deepEqual(circuits.pictures(), []);
  });
});
