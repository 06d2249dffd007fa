import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../../src/base/limits.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { LAN_GROUPS, LAN_PORT } from "../../../src/net/lan/lan-interfaces.ts";
import { decodeLanQuestion, encodeLanAnswer, encodeLanQuestion } from "../../../src/net/lan/lan-message.ts";
import { answerLan } from "../../../src/net/lan/lan-responder.ts";
import { searchLan } from "../../../src/net/lan/lan-search.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/**
 * Run alone in a network namespace whose only local network has the address that is the argument, this asks a responder without end, and searches where neighbours answer without end. Prints
 * what came of it.
 */
const HERE = process.argv[2] ?? "";
const NETWORK_ID = 7;
const LOOK_MS = 50;
const QUIET_LOOKS = 5;
const clock = new ManualClock();
/** Datagrams that came or went here, the searcher's own aside. */
let seen = 0;

/** Nothing has moved for a while, and not only because this process had no turn. */
async function quiet(): Promise<void> {
  for (let before = -1, looks = 0; looks < QUIET_LOOKS; looks++) {
    await sleep(LOOK_MS);
    await new Promise((resolve) => setImmediate(resolve));
    if (seen !== before) looks = 0;
    before = seen;
  }
}

async function open(
  port: number,
  onMessage: (bytes: Buffer, from: RemoteInfo, socket: Socket) => void,
): Promise<Socket> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (bytes, from) => {
    seen++;
    onMessage(bytes, from, socket);
  });
  socket.bind(port, port === 0 ? HERE : "0.0.0.0");
  await once(socket, "listening");
  return socket;
}

/** How many of so many questions are answered, in one second of the responder's clock and in the next. */
async function answersTo(questions: number): Promise<number[]> {
  const responder = answerLan({ networkId: NETWORK_ID, nodeKey: systemRandom.bytes(32), port: 9001 }, clock);
  let answers = 0;
  const asking = await open(0, () => answers++);
  asking.setMulticastInterface(HERE);
  await quiet();
  const counts: number[] = [];
  for (let second = 0; second < 2; second++) {
    answers = 0;
    for (let one = 0; one < questions; one++) asking.send(encodeLanQuestion(one), LAN_PORT, LAN_GROUPS[4]);
    await quiet();
    counts.push(answers);
    clock.advance(1_000);
  }
  responder.close();
  asking.close();
  return counts;
}

/** Relays found where somebody answers each question with so many words of no sense first, and then for so many relays. */
async function foundAmong(
  noise: number,
  relays: number,
): Promise<{ readonly found: number; readonly isOver: boolean[] }> {
  const answer = async (id: number, { port, address }: RemoteInfo, socket: Socket): Promise<void> => {
    for (let one = 0; one < noise + relays; one++) {
      seen++;
      const relay = { id, networkId: NETWORK_ID, nodeKey: systemRandom.bytes(32), port: 9001 };
      socket.send(one < noise ? Buffer.from([one]) : encodeLanAnswer(relay), port, address);
      // Nothing is to be lost for want of room.
      if (one % 16 === 15) await sleep(1);
    }
  };
  const neighbour = await open(LAN_PORT, (bytes, from, socket) => {
    const id = decodeLanQuestion(bytes);
    if (id !== undefined) void answer(id, from, socket);
  });
  neighbour.addMembership(LAN_GROUPS[4], HERE);
  let isOver = false;
  const search = searchLan(NETWORK_ID, { clock, random: systemRandom }).finally(() => (isOver = true));
  await quiet();
  const states: boolean[] = [];
  for (const ms of [LIMITS.lanSearchMs - 1, 1]) {
    clock.advance(ms);
    await quiet();
    states.push(isOver);
  }
  const found = isOver ? (await search).length : -1;
  neighbour.close();
  return { found, isOver: states };
}

const results = {
  answers: await answersTo(20 * LIMITS.lanAnswersPerSecond),
  crowded: await foundAmong(0, 4 * LIMITS.lanRelays),
  noisy: await foundAmong(LIMITS.lanDatagrams, 1),
  alone: await foundAmong(LIMITS.lanDatagrams - 1, 1),
};
process.stdout.write(JSON.stringify(results));
process.exit();
