import { BackroomError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { decodeBencode, encodeBencode, type Bencoded, type BencodedDict } from "../base/bencode.ts";
import { u32be } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { Fifo } from "./fifo.ts";
import { heldQuestions } from "./held-questions.ts";
import {
  payloadBytesFor,
  type Circuit,
  type CircuitStream,
  type Service,
  type StreamHandlers,
} from "./stream.ts";

/**
 * Service messages (PROTOCOL 6.4), cut into DATA payloads at will:
 *
 *     0        4
 *     | length | canonical bencoded dictionary |
 */
const LENGTH_BYTES = 4;
/**
 * A message of so many SHORT DATA frames goes in such: a sample of 64 infos does, and nearly all traffic of those who join and gossip is samples. A DATA frame
 * would be quicker to seal, but is four times the bytes.
 */
const SHORT_FRAMES = 10;

export function encodeMessage(message: Bencoded | BencodedDict): Buffer {
  const body = encodeBencode(message);
  if (body.length > LIMITS.messageBytes)
    throw new BackroomError("E_INTERNAL", "a message is too long to send");
  return Buffer.concat([u32be(body.length), body]);
}

/** Puts messages together from payloads. Raises E_BENCODE or E_FRAME on the first thing that is no message; holds one message at most. */
export class MessageReader {
  readonly #mostBytes: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(mostBytes: number = LIMITS.messageBytes) {
    this.#mostBytes = mostBytes;
  }

  /** Of a message that is not whole yet. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Takes a copy of what it keeps. */
  push(bytes: Buffer): BencodedDict[] {
    const messages: BencodedDict[] = [];
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    while (rest.length >= LENGTH_BYTES) {
      const length = rest.readUInt32BE(0);
      if (length > this.#mostBytes) throw new BackroomError("E_FRAME", "a message is too long");
      if (rest.length < LENGTH_BYTES + length) break;
      messages.push(decodeDict(rest.subarray(LENGTH_BYTES, LENGTH_BYTES + length)));
      rest = rest.subarray(LENGTH_BYTES + length);
    }
    this.#held = Buffer.from(rest);
    return messages;
  }
}

function decodeDict(bytes: Buffer): BencodedDict {
  // A copy: what a caller keeps of a message must not keep a frame alive.
  const value = decodeBencode(Buffer.from(bytes));
  if (!(value instanceof Map)) throw new BackroomError("E_BENCODE", "a message is no dictionary");
  return value;
}

/** Sends messages as the window allows. */
class MessageWriter {
  readonly #stream: CircuitStream;
  readonly #payloads = new Fifo<Buffer>();
  #flushed = (): void => {};

  constructor(stream: CircuitStream) {
    this.#stream = stream;
  }

  /** Resolves when all of it is on its way. */
  async write(message: Bencoded): Promise<void> {
    const bytes = encodeMessage(message);
    const payloadBytes = payloadBytesFor(bytes.length, 0, SHORT_FRAMES);
    for (let at = 0; at < bytes.length; at += payloadBytes) {
      // Copies: a payload's memory is given away with it.
      this.#payloads.push(Buffer.from(bytes.subarray(at, at + payloadBytes)));
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flushed = resolve;
    this.flush();
    await promise;
  }

  flush(): void {
    while (this.#stream.sendWindow > 0 && this.#payloads.length > 0) {
      this.#stream.send(this.#payloads.shift() as Buffer);
    }
    if (this.#payloads.length === 0) this.#flushed();
  }
}

/** A stream on which questions are asked one after the other; it stays open in between. */
export interface Conversation {
  /**
   * Raises E_REFUSED when the service refuses or answers with an error, E_CIRCUIT when the stream or circuit ends or the answer takes too
   * long, E_BENCODE and E_FRAME for a broken answer. After any of them but an answered error the conversation is closed.
   */
  ask(question: Bencoded): Promise<BencodedDict>;
  readonly open: boolean;
  close(): void;
}

export interface AskOptions {
  readonly clock: Clock;
  readonly timeoutMs?: number;
}

/** Opens a conversation. `onClose` runs once, when it ends for whatever reason but `close()`. */
export function openConversation(
  circuit: Pick<Circuit, "openStream">,
  service: Service,
  options: AskOptions,
  onClose: (error: BackroomError) => void = () => {},
): Conversation {
  const reader = new MessageReader();
  let waiting: PromiseWithResolvers<BencodedDict> | undefined;
  let closed = false;
  const stream = circuit.openStream(service, Buffer.alloc(0), {
    onData: (payload) => {
      try {
        for (const message of reader.push(payload)) answer(message);
        stream.consumed(1);
      } catch (error) {
        fail(error as BackroomError);
      }
    },
    onWindow: () => writer.flush(),
    onEnd: (error) => fail(error ?? new BackroomError("E_CIRCUIT", "the service ended the conversation")),
  });
  const writer = new MessageWriter(stream);

  function answer(message: BencodedDict): void {
    if (waiting === undefined) throw new BackroomError("E_FRAME", "an answer came to no question");
    const asked = waiting;
    waiting = undefined;
    const code = message.get("e");
    if (code === undefined) asked.resolve(message);
    else asked.reject(new BackroomError("E_REFUSED", `the service answered: ${plainCode(code)}`));
  }

  function fail(error: BackroomError): void {
    if (closed) return;
    closed = true;
    stream.end();
    waiting?.reject(error);
    onClose(error);
  }

  return {
    get open() {
      return !closed;
    },
    ask: async (question) => {
      if (closed) throw new BackroomError("E_CIRCUIT", "the conversation is closed");
      if (waiting !== undefined) throw new BackroomError("E_INTERNAL", "a question waits for its answer");
      waiting = Promise.withResolvers();
      const asked = waiting.promise;
      const cancel = options.clock.after(options.timeoutMs ?? LIMITS.answerMs, () => {
        fail(new BackroomError("E_CIRCUIT", "a service took too long to answer"));
      });
      void writer.write(question);
      try {
        return await asked;
      } finally {
        cancel();
      }
    },
    close: () => {
      if (closed) return;
      closed = true;
      stream.end();
      waiting?.reject(new BackroomError("E_CIRCUIT", "the conversation was closed"));
    },
  };
}

/** A code of a stranger's making goes into an error's text only when it cannot be anything but a code. */
function plainCode(code: unknown): string {
  const text = Buffer.isBuffer(code) ? code.toString("latin1") : "";
  return /^[a-z-]{1,32}$/.test(text) ? text : "an error";
}

/** One question on a stream of its own. Raises as `Conversation.ask` does, and what `openStream` raises. */
export async function askService(
  circuit: Pick<Circuit, "openStream">,
  service: Service,
  question: Bencoded,
  options: AskOptions,
): Promise<BencodedDict> {
  const conversation = openConversation(circuit, service, options);
  try {
    return await conversation.ask(question);
  } finally {
    conversation.close();
  }
}

/**
 * Answers questions of at most LIMITS.questionBytes on a stream, one at a time and in order. If `answer` throws, the other end gets `{"e": "failed"}`, and
 * the relay lives on; to say more, return `{"e": code}`. A stranger's broken message, or too many questions at once, ends the stream.
 */
export function serveMessages(
  stream: CircuitStream,
  answer: (question: BencodedDict) => Bencoded | Promise<Bencoded>,
  onEnd: () => void = () => {},
): StreamHandlers {
  const reader = new MessageReader(LIMITS.questionBytes);
  const writer = new MessageWriter(stream);
  const questions = new Fifo<BencodedDict>();
  let working = false;
  let ended = false;

  /** A waiting question counts as the longest: what it holds decoded is not known, and is of that order. */
  function count(): void {
    const waiting = ended ? 0 : reader.heldBytes + questions.length * LIMITS.questionBytes;
    heldQuestions.set(stream, waiting, () => stream.end());
  }

  async function work(): Promise<void> {
    if (working) return;
    working = true;
    for (let question = questions.shift(); question !== undefined; question = questions.shift()) {
      count();
      await writer.write(await answerTo(question));
    }
    working = false;
  }

  async function answerTo(question: BencodedDict): Promise<Bencoded> {
    try {
      return await answer(question);
    } catch {
      return { e: Buffer.from("failed") };
    }
  }

  return {
    onData: (payload) => {
      try {
        for (const question of reader.push(payload)) {
          if (questions.length >= LIMITS.questionsWaiting) return stream.end();
          questions.push(question);
        }
        stream.consumed(1);
        count();
        // An answer that cannot be sent is a bug of the service, and no reason to end the process.
        work().catch(() => stream.end());
      } catch {
        stream.end();
      }
    },
    onWindow: () => writer.flush(),
    onEnd: () => {
      ended = true;
      questions.clear();
      count();
      onEnd();
    },
  };
}
