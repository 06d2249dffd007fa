import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { AnswerTime } from "./answer-time.ts";
import { FRAME, FRAME_HEADER_BYTES, frameType, makeFrame, OTHER_FRAME_BYTES } from "./frame.ts";

const TOKEN_BYTES = 8;
const ZEROS = Buffer.alloc(OTHER_FRAME_BYTES - FRAME_HEADER_BYTES - TOKEN_BYTES);
/** As much may be sent before a PING follows it, though there is no silence: who is given much to carry is timed while it carries. */
const ASK_BYTES = 32 * 1024;
/**
 * PINGs of one keepalive period that go out sooner than that: a few tell what a line carries. With two periods' in one of the neighbour's, which begins when it likes, and
 * those that have their time, that is less than the LIMITS.channelPings it answers.
 */
const SOONER_PINGS = 25;
/** A timer that is later than this was held up by this computer, and what came meanwhile may not have been read yet. */
const LATE_MS = 250;
/** By as much a silence that was asked about grows before it is asked about again. */
const CALM = 4;
/** Of the silence before a PING, what the answer may take at least: 20 s after the 30 of an idle channel. */
const IDLE_SHARE = LIMITS.channelPongMs / LIMITS.channelPingMs;

/**
 * Notices that the neighbour is gone without a word (PROTOCOL 5). After anything but PING and PONG has gone over the channel, a silence of
 * LIMITS.channelQuickPingMs is asked about, each PING that shows the other there quadruples what has to pass before the next, up to LIMITS.channelPingMs; a PING after
 * which nothing at all comes for as long as `AnswerTime` gives it means that the channel is dead. One timer that looks at time stamps, instead of one
 * that every frame would have to set back.
 */
export class Keepalive {
  readonly #channel: { send(frame: Buffer): void; onDead(error: BackroomError): void };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #answerTime = new AnswerTime();
  #running = false;
  #heardMs = 0;
  /** The channel is in use since then, after it had not been. */
  #inUseMs = 0;
  /** How long a silence is before it is asked about. */
  #waitMs: number = LIMITS.channelQuickPingMs;
  #cancel: () => void = () => {};
  /** Bytes of frames that this side sent, PINGs and PONGs aside; and how many had been when the last PING that was answered went out. */
  #sentBytes = 0;
  #answeredBytes = 0;
  /** The PING that waits for its PONG. */
  #asked: { readonly token: Buffer; readonly bytes: number } | undefined;
  /** When the last PING went out. */
  #askedMs = -Infinity;
  /** Whether, since that PING, no frame but its PONG came, and none went over the channel at all. */
  #isFirst = false;
  #isIdle = false;
  /** PINGs of this side: see SOONER_PINGS. */
  readonly #sooner = new PeriodCount();
  /** PINGs that came. Each costs an answer that a peer need not read. */
  readonly #pings = new PeriodCount();

  constructor(
    channel: { send(frame: Buffer): void; onDead(error: BackroomError): void },
    deps: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#channel = channel;
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  start(): void {
    this.#running = true;
    this.#heardMs = this.#inUseMs = this.#clock.monotonicMs();
    this.#wait();
  }

  stop(): void {
    this.#running = false;
    this.#cancel();
  }

  /** To be called for whatever comes, if it is a part of a frame: a slow line takes seconds for a whole one. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** To be called for every frame that comes, PING and PONG aside. */
  received(): void {
    this.#isFirst = false;
    this.#active();
  }

  /** To be called for every frame that this side sends, those that the keepalive sends aside. */
  sent(bytes: number): void {
    if (!this.#running) return;
    this.#sentBytes += bytes;
    this.#active();
    if (this.#asked !== undefined) return;
    // The first one at once: nothing waits in front of it yet, so its answer shows what the way takes.
    if (this.#askedMs === -Infinity) return this.#ask();
    const unanswered = this.#sentBytes - this.#answeredBytes;
    if (unanswered < ASK_BYTES) return;
    // More than the line carries, as far as it is known: either it carries more, or much waits. Whoever vanished then would be given long for the rest.
    const isTooMuch = unanswered >= this.#answerTime.bytesIn(LIMITS.channelQuickPingMs);
    const nowMs = this.#clock.monotonicMs();
    const isDue = nowMs - this.#askedMs >= LIMITS.channelQuickPingMs;
    if (isDue || (isTooMuch && this.#sooner.next(nowMs) <= SOONER_PINGS)) this.#ask();
  }

  /** Takes a PING or PONG. Raises E_CHANNEL for an echo that nobody asked for, and for more PINGs than anybody needs. */
  take(frame: Buffer): void {
    const token = frame.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + TOKEN_BYTES);
    if (!frame.subarray(FRAME_HEADER_BYTES + TOKEN_BYTES).equals(ZEROS)) {
      throw new BackroomError("E_CHANNEL", "a PING or PONG does not end in zeros");
    }
    if (frameType(frame) === FRAME.pong) this.#answered(token);
    else this.#answer(token);
  }

  #answer(token: Buffer): void {
    if (this.#pings.next(this.#clock.monotonicMs()) > LIMITS.channelPings)
      throw new BackroomError("E_CHANNEL", "the neighbour sends too many PINGs");
    // It asks because there is silence, and has shown by that that it is there: one of both is enough.
    if (this.#asked === undefined) this.#calm();
    this.#channel.send(tokenFrame(FRAME.pong, token));
  }

  #calm(): void {
    this.#waitMs = Math.min(CALM * this.#waitMs, LIMITS.channelPingMs);
  }

  #answered(token: Buffer): void {
    const asked = this.#asked;
    if (asked?.token.equals(token) !== true) throw new BackroomError("E_CHANNEL", "a PONG answers no PING");
    const bytes = asked.bytes - this.#answeredBytes;
    const sample = { askedMs: this.#askedMs, bytes, isFirst: this.#isFirst };
    this.#answerTime.answered(this.#clock.monotonicMs(), sample);
    this.#answeredBytes = asked.bytes;
    this.#asked = undefined;
    if (this.#isIdle) this.#calm();
    this.#wait();
  }

  /** Somebody uses the channel: its silences count again. */
  #active(): void {
    this.#isIdle = false;
    if (this.#waitMs === LIMITS.channelQuickPingMs) return;
    this.#waitMs = LIMITS.channelQuickPingMs;
    this.#inUseMs = this.#clock.monotonicMs();
    if (this.#asked === undefined) this.#wait();
    else this.#listen(this.#asked.bytes - this.#answeredBytes, this.#inUseMs);
  }

  /** Until there may be something to ask about. */
  #wait(): void {
    const sinceMs = Math.max(this.#heardMs, this.#inUseMs);
    this.#look(sinceMs + this.#waitMs, () => {
      if (this.#heardMs > sinceMs) this.#wait();
      else this.#ask();
    });
  }

  #ask(): void {
    const nowMs = this.#clock.monotonicMs();
    const token = this.#random.bytes(TOKEN_BYTES);
    const bytes = this.#sentBytes;
    this.#asked = { token, bytes };
    this.#askedMs = nowMs;
    this.#isFirst = true;
    this.#isIdle = true;
    this.#channel.send(tokenFrame(FRAME.ping, token));
    // Sending may have ended the channel.
    if (this.#running) this.#listen(bytes - this.#answeredBytes, nowMs);
  }

  /** Until a byte is overdue, which may wait behind `bytes` of ours: counted from the PING, and anew from whatever comes. */
  #listen(bytes: number, sinceMs: number): void {
    // Where nobody waits for anything there is no haste.
    const patienceMs = Math.max(this.#answerTime.patienceMs(bytes), this.#waitMs * IDLE_SHARE);
    this.#look(sinceMs + patienceMs, (lateMs) => {
      if (this.#heardMs > sinceMs) this.#listen(bytes, this.#heardMs);
      else if (lateMs > LATE_MS) this.#listen(bytes, sinceMs + lateMs + LATE_MS);
      else this.#channel.onDead(new BackroomError("E_CHANNEL_SILENT", "the neighbour fell silent"));
    });
  }

  #look(atMs: number, then: (lateMs: number) => void): void {
    this.#cancel();
    const nowMs = this.#clock.monotonicMs();
    const dueMs = Math.max(atMs, nowMs);
    this.#cancel = this.#clock.after(dueMs - nowMs, () => then(this.#clock.monotonicMs() - dueMs));
  }
}

function tokenFrame(type: typeof FRAME.ping | typeof FRAME.pong, token: Uint8Array): Buffer {
  const frame = makeFrame(type, 0);
  frame.set(token, FRAME_HEADER_BYTES);
  return frame;
}

/** How many there were in a keepalive period, which begins with the first one after the period before. */
class PeriodCount {
  #count = 0;
  #sinceMs = -Infinity;

  /** Which one of its period this one is, from 1. */
  next(nowMs: number): number {
    if (nowMs - this.#sinceMs >= LIMITS.channelPingMs) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    return ++this.#count;
  }
}
