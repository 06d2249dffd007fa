import { LIMITS } from "../../src/base/limits.ts";
import { FRAME, makeFrame } from "../../src/net/frame.ts";
import {
  credit,
  destroy,
  drop,
  duplicate,
  each,
  flip,
  hangUp,
  inject,
  inTurn,
  onReceiving,
  onSending,
  replay,
  some,
  swap,
  toward,
  type Deed,
  type FrameScript,
  type Tally,
} from "./hostile-frames.ts";
import type { Cost, Scenario } from "./hostile-scenario.ts";
import { WITH_MIDDLES, type Script } from "./hostile-world.ts";

const { data, control, create } = FRAME;

/** A place of hostile relays, and the neighbours that they send the frames in question to. */
interface Place {
  readonly where: string;
  readonly names: readonly string[];
  readonly to: RegExp;
}

const MIDDLES = ["mid1", "mid2", "mid3"];
const GUARD: Place = { where: "downloader's guard, to the downloader", names: ["dg1"], to: /^member/ };
const SEEDERS_GUARD: Place = { where: "seeder's guard, to the seeder", names: ["sg1"], to: /^member/ };
const SECOND: Place = { where: "second hops, to the downloader's guard", names: MIDDLES, to: /^dg/ };
const ONE_SECOND: Place = { where: "one of the second hops", names: ["mid1"], to: /./ };
const SECOND_ON: Place = {
  where: "second hops, to gates and scouts",
  names: MIDDLES.slice(1),
  to: /^(gate|scout)/,
};
const SEEDERS_SECOND: Place = {
  where: "second hops, to the seeder's guard",
  names: MIDDLES.slice(1),
  to: /^sg/,
};
const GATE: Place = { where: "one of the seeder's gates", names: ["gate1"], to: /./ };

/** A circuit or two more, at once. */
const LITTLE: Cost = { circuits: 30, seconds: 20, dials: 1, wastedKiB: 1024, heldKiB: 4096 };
/** Somebody has to wait until it is clear that nothing comes. */
const PATIENCE: Cost = { circuits: 45, seconds: 150, dials: 2, wastedKiB: 1024, heldKiB: 4096 };
const NOTHING: Cost = { circuits: 6, seconds: 1, dials: 0, wastedKiB: 0, heldKiB: 4096 };

const DOWNLOADER = "downloader: destroys the circuit as broken";
const SEEDER = "seeder: destroys the circuit as broken";
const GATE_DESTROYS = "gate: destroys the circuit as broken";
const SCOUT_DESTROYS = "scout: destroys the circuit as broken";
const closes = (party: string): string => `${party}: closes the channel: E_FRAME`;
const NO_LEASES = "downloader: a gate could not be asked for leases: E_CIRCUIT";
const NO_TUNNEL = "downloader: a seeder could not be reached through one of its gates: E_TUNNEL";
const NO_CIRCUIT = "downloader: a circuit could not be built: E_CIRCUIT";

function scenario(
  what: string,
  place: Place,
  noticed: readonly string[],
  atMost: Cost,
  frames: (tally: Tally, to: RegExp) => FrameScript,
  because?: string,
): Scenario {
  const hostile = (tally: Tally): Readonly<Record<string, Script>> => {
    const script = { frames: frames(tally, place.to) };
    return Object.fromEntries(place.names.map((name) => [name, script]));
  };
  const reason = because === undefined ? {} : { because };
  return { what, where: place.where, noticed, atMost, plans: WITH_MIDDLES, hostile, ...reason };
}

/** One frame of that kind in so many. */
const sometimes =
  (deed: Deed, type: typeof data | typeof control = data, every = 6) =>
  (tally: Tally, to: RegExp): FrameScript =>
    onSending(tally, each(every, toward(to, type)), deed);

const always =
  (deed: Deed, ...types: (typeof data | typeof control | typeof create | typeof FRAME.credit)[]) =>
  (tally: Tally, to: RegExp): FrameScript =>
    onSending(tally, toward(to, ...types), deed);

/** After the first few, all of them. */
const fromThenOn =
  (deed: Deed, ...types: (typeof data | typeof control)[]) =>
  (tally: Tally, to: RegExp): FrameScript =>
    onSending(tally, some(toward(to, ...types), { skipped: 5 }), deed);

const garbage =
  (type: typeof data | typeof control): ((circuit: number) => Buffer) =>
  (circuit) =>
    makeFrame(type, circuit).fill(0xa5, 8);

const reading = (tally: Tally): FrameScript =>
  onReceiving(tally, some(toward(/./, data), { skipped: 10 }), drop);

const noCredit: Deed = (frame) => {
  frame.writeUInt16BE(0, 6);
  return frame[4] === FRAME.credit ? [] : [frame];
};

const replayedCreate = (): Deed => {
  let first: Buffer | undefined;
  return (frame, wire) => {
    first ??= Buffer.from(frame);
    const again = Buffer.from(first);
    // A circuit number of its own, of this side's kind, that no honest count comes to.
    again.writeUInt32BE(
      ((frame.readUInt32BE(0) & 0x8000_0000) | 0x7000_0000 | frame.readUInt16BE(2)) >>> 0,
      0,
    );
    wire.send(again);
    return [frame];
  };
};

/** What relays do to frames. */
export const FRAME_SCENARIOS: readonly Scenario[] = [
  scenario("flips a bit of sealed DATA", GUARD, [DOWNLOADER], LITTLE, sometimes(flip(2000), data, 20)),
  scenario("flips a bit of sealed DATA", SECOND, [DOWNLOADER], LITTLE, sometimes(flip(9000))),
  scenario(
    "flips a bit of sealed DATA",
    SECOND_ON,
    [GATE_DESTROYS, SCOUT_DESTROYS],
    LITTLE,
    sometimes(flip(8), data, 5),
  ),
  scenario("flips a bit of sealed DATA", SEEDERS_GUARD, [SEEDER], LITTLE, sometimes(flip(16_000), data, 6)),
  scenario("flips a bit of sealed DATA", SEEDERS_SECOND, [SEEDER], LITTLE, sometimes(flip(100), data, 6)),
  scenario("flips a bit of sealed DATA", GATE, [DOWNLOADER, SEEDER], LITTLE, sometimes(flip(100))),
  scenario("flips a bit of sealed CONTROL", SECOND, [DOWNLOADER], LITTLE, sometimes(flip(1000), control)),
  scenario(
    "flips a bit of sealed CONTROL",
    SECOND_ON,
    [GATE_DESTROYS, SCOUT_DESTROYS],
    LITTLE,
    sometimes(flip(1000), control, 5),
  ),
  scenario(
    "writes into filler",
    SECOND_ON,
    [],
    NOTHING,
    always((frame) => [frame.fill(0x5a, frame.length - 17)], data, control),
    "every hop writes filler anew",
  ),
  scenario(
    "changes the circuit's number",
    SECOND,
    [DOWNLOADER, NO_LEASES, NO_TUNNEL],
    PATIENCE,
    sometimes(flip(3)),
  ),
  scenario(
    "sets a flag in the header",
    SECOND_ON,
    [closes("gate"), closes("scout")],
    LITTLE,
    sometimes(flip(5), data, 6),
  ),
  scenario(
    "sets a flag in the header",
    GUARD,
    [closes("downloader")],
    { ...LITTLE, dials: 6 },
    sometimes(flip(5), data, 20),
  ),
  scenario(
    "changes a frame's type",
    SECOND,
    [closes("downloader's guard"), DOWNLOADER],
    PATIENCE,
    sometimes(flip(4, 1), data, 10),
  ),
  scenario("drops DATA", SECOND, [DOWNLOADER], PATIENCE, sometimes(drop)),
  scenario(
    "sends DATA twice",
    SECOND,
    [DOWNLOADER, closes("downloader's guard")],
    LITTLE,
    sometimes(duplicate),
  ),
  scenario(
    "sends DATA twice",
    SECOND_ON,
    [GATE_DESTROYS, SCOUT_DESTROYS, closes("gate"), closes("scout")],
    LITTLE,
    sometimes(duplicate, data, 6),
  ),
  scenario("replays frames of this and older circuits", SECOND, [DOWNLOADER], PATIENCE, (tally, to) =>
    onSending(tally, each(4, toward(to, data)), replay()),
  ),
  scenario(
    "replays a handshake on another circuit",
    SECOND_ON,
    [],
    NOTHING,
    (tally, to) => onSending(tally, toward(to, create), replayedCreate()),
    "a fresh reply, of no use without the client's keys; idle circuits end",
  ),
  scenario("swaps neighbouring DATA", SECOND, [DOWNLOADER], PATIENCE, (tally, to) =>
    onSending(tally, each(3, toward(to, data)), swap()),
  ),
  scenario("makes up DATA", SECOND, [DOWNLOADER], LITTLE, sometimes(inject(garbage(data)))),
  scenario(
    "makes up CONTROL",
    SECOND_ON,
    [GATE_DESTROYS, SCOUT_DESTROYS],
    LITTLE,
    sometimes(inject(garbage(control)), data, 5),
  ),
  scenario(
    "answers a circuit twice",
    SECOND,
    [closes("downloader's guard")],
    LITTLE,
    sometimes(
      inject((circuit) => makeFrame(FRAME.created, circuit)),
      data,
      20,
    ),
  ),
  scenario(
    "sends frames of circuits that are not there",
    SECOND,
    [],
    NOTHING,
    sometimes(inject(() => garbage(data)(0x7abc_0001))),
    "they are passed over",
  ),
  scenario(
    "grants more than was sent",
    GUARD,
    [closes("downloader")],
    { ...LITTLE, dials: 6 },
    sometimes(credit(500), data, 20),
  ),
  scenario(
    "grants more than was sent",
    SECOND_ON,
    [closes("gate"), closes("scout")],
    LITTLE,
    sometimes(credit(LIMITS.circuitFramesMost), data, 6),
  ),
  scenario(
    "grants nothing, in a frame of its own",
    SECOND,
    [closes("downloader's guard")],
    LITTLE,
    sometimes(
      inject((circuit) => makeFrame(FRAME.credit, circuit)),
      data,
      20,
    ),
  ),
  scenario(
    "gives no credit back",
    SECOND_ON,
    [],
    PATIENCE,
    always(noCredit, data, control, FRAME.credit),
    "its own circuits come to a stop; the seeder is asked through another gate",
  ),
  scenario(
    "gives no credit back",
    GATE,
    [],
    PATIENCE,
    always(noCredit, data, control, FRAME.credit),
    "the seeder is asked through its other gate",
  ),
  scenario("ends circuits while they are built", SECOND_ON, [NO_CIRCUIT], LITTLE, (tally, to) =>
    onSending(tally, each(2, toward(to, create)), destroy),
  ),
  scenario(
    "ends circuits at the first DATA",
    GUARD,
    [],
    PATIENCE,
    always(destroy, data),
    "another guard is used once circuits to three last hops were lost",
  ),
  scenario(
    "ends circuits at the first DATA",
    SECOND,
    [],
    LITTLE,
    always(destroy, data),
    "other second hops are used",
  ),
  scenario(
    "ends circuits at the first DATA",
    GATE,
    [],
    LITTLE,
    always(destroy, data),
    "other gates are used, by the seeder too",
  ),
  scenario(
    "ends circuits now and then",
    GUARD,
    [],
    LITTLE,
    sometimes(destroy, data, 20),
    "new circuits are built",
  ),
  scenario(
    "ends circuits now and then",
    SEEDERS_SECOND,
    [],
    PATIENCE,
    sometimes(destroy, data, 5),
    "new circuits are built",
  ),
  scenario(
    "hangs up now and then",
    GUARD,
    [],
    { ...LITTLE, dials: 6 },
    sometimes(hangUp, data, 20),
    "it is dialled again",
  ),
  scenario("never passes CREATE on", SECOND_ON, [NO_CIRCUIT], PATIENCE, always(drop, create)),
  scenario("swallows all DATA", GUARD, [NO_TUNNEL, NO_LEASES], PATIENCE, fromThenOn(drop, data)),
  scenario(
    "swallows all DATA",
    SECOND,
    [],
    PATIENCE,
    fromThenOn(drop, data),
    "the seeder is asked through another gate, by other second hops",
  ),
  scenario(
    "swallows all DATA",
    GATE,
    [],
    PATIENCE,
    fromThenOn(drop, data),
    "the seeder is asked through its other gate",
  ),
  scenario("stops reading", ONE_SECOND, [], PATIENCE, reading, "as above"),
  scenario("tampers in two ways at once", SECOND, [DOWNLOADER], PATIENCE, (tally, to) =>
    inTurn(sometimes(flip(-200))(tally, to), sometimes(swap(), data, 3)(tally, to)),
  ),
];
