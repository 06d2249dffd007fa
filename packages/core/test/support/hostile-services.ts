import type { Bencoded, BencodedDict } from "../../src/base/bencode.ts";
import type { Clock } from "../../src/base/clock.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import type { CircuitStream, ServiceHandler, StreamHandlers } from "../../src/circuit/stream.ts";
import type { Tally } from "./hostile-frames.ts";

/** Answers every question so, whatever the honest service would say. */
export const answering =
  (tally: Tally, make: (question: BencodedDict) => Bencoded): ServiceHandler =>
  (stream) =>
    serveMessages(stream, (question) => {
      tally.acts++;
      return make(question);
    });

/** Accepts and never says anything. */
export const silent =
  (tally: Tally): ServiceHandler =>
  () => {
    tally.acts++;
    return { onData() {}, onWindow() {}, onEnd() {} };
  };

/** Refuses every stream. */
export const refusing =
  (tally: Tally): ServiceHandler =>
  () => {
    tally.acts++;
    return undefined;
  };

/** One tunnel at a hostile gate. `index` counts the payloads in that direction, from 0. */
export interface TunnelScript {
  /** Gives what goes to the downloader in the payload's place. */
  toDownloader?(payload: Buffer, index: number, stream: CircuitStream): readonly Buffer[];
  toSeeder?(payload: Buffer, index: number): readonly Buffer[];
}

/** The honest gate's tunnels, each with a script of its own between. */
export function scriptedTunnels(honest: ServiceHandler, newScript: () => TunnelScript): ServiceHandler {
  return (stream, args, circuit) => {
    const script = newScript();
    let down = 0;
    let up = 0;
    const between: CircuitStream = {
      get sendWindow() {
        return stream.sendWindow;
      },
      start: (handlers) => stream.start(scripted(handlers)),
      send: (payload) => {
        const sent = script.toDownloader?.(payload, down++, stream) ?? [payload];
        for (const one of sent) if (stream.sendWindow > 0) stream.send(one);
      },
      consumed: (frames) => stream.consumed(frames),
      end: () => stream.end(),
    };
    const scripted = (handlers: StreamHandlers): StreamHandlers => ({
      onData: (payload) => {
        const passed = script.toSeeder?.(payload, up++) ?? [payload];
        for (const one of passed) handlers.onData(one);
      },
      onWindow: () => handlers.onWindow(),
      onEnd: (error) => handlers.onEnd(error),
    });
    const handlers = honest(between, args, circuit);
    return handlers === undefined ? undefined : scripted(handlers);
  };
}

/** Ends each tunnel in good order once it has carried so much. */
export const endingAfter =
  (tally: Tally, payloads: number): (() => TunnelScript) =>
  () => ({
    toDownloader(payload, index, stream) {
      if (index < payloads) return [payload];
      tally.acts++;
      stream.end();
      return [];
    },
  });

/** From then on nothing more goes to the downloader. */
export const stallingAfter =
  (tally: Tally, payloads: number): (() => TunnelScript) =>
  () => ({
    toDownloader(payload, index) {
      if (index < payloads) return [payload];
      tally.acts++;
      return [];
    },
  });

/** One payload a while, however much there is. */
export const trickling =
  (tally: Tally, clock: Clock, everyMs: number): (() => TunnelScript) =>
  () => {
    let freeAtMs = 0;
    return {
      toDownloader(payload, index, stream) {
        if (index === 0) return [payload];
        tally.acts++;
        freeAtMs = Math.max(freeAtMs, clock.monotonicMs()) + everyMs;
        clock.after(freeAtMs - clock.monotonicMs(), () => {
          if (stream.sendWindow > 0) stream.send(payload);
        });
        return [];
      },
    };
  };

/** Changes a bit of one payload in every so many. */
export const tampering =
  (tally: Tally, every: number): (() => TunnelScript) =>
  () => ({
    toDownloader(payload, index) {
      if (index % every !== every - 1) return [payload];
      tally.acts++;
      payload[100] = (payload[100] as number) ^ 1;
      return [payload];
    },
  });

/** Gives each tunnel what the tunnel before it should have got. */
export const swapping = (tally: Tally): (() => TunnelScript) => {
  const held = new Map<number, Buffer>();
  return () => ({
    toDownloader(payload, index) {
      const other = held.get(index);
      held.set(index, Buffer.from(payload));
      if (other === undefined) return [payload];
      tally.acts++;
      return [other];
    },
  });
};

/** The first downloader's handshake in place of every later one's. */
export const replayingHandshakes = (tally: Tally): (() => TunnelScript) => {
  let first: Buffer | undefined;
  return () => ({
    toSeeder(payload, index) {
      if (index > 0) return [payload];
      if (first === undefined) {
        first = Buffer.from(payload);
        return [payload];
      }
      tally.acts++;
      return [Buffer.from(first)];
    },
  });
};

/** Everything comes back to whom it came from: a tunnel with oneself. */
export const echoing =
  (tally: Tally): ServiceHandler =>
  (stream) => ({
    onData: (payload) => {
      tally.acts++;
      if (stream.sendWindow > 0) stream.send(Buffer.from(payload));
      stream.consumed(1);
    },
    onWindow() {},
    onEnd() {},
  });
