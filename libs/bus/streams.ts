/**
 * The streams of one bus: hand-shake, order, keep-alives. Frames travel to inbox subjects only, so
 * neither side needs a subject of its own or an inbound port.
 */
import type { Clock } from "../telemetry/clock.ts";
import { type ByteStream, NoResponders, RemoteFailure, RequestTimeout } from "./bus.ts";
import { decodeFrame, encodeFrame, type Frame } from "./frame.ts";
import { type StreamEnd, streamEnd } from "./stream.ts";
import type { Packet, Wire } from "./wire.ts";

/** A ping at least so often; a peer that was silent for so long has vanished. */
const pingEveryMs = 1_000;
const silenceMaxMs = 4_000;
/** A tick as late as this says that this process stood still: silence is counted anew. */
const stallMs = 500;
/** A handler that has neither touched its stream nor failed for so long has accepted it. */
const acceptAfterMs = 1_000;

/** Marks the request that opens a stream. */
export const streamHeader = { "Berth-Stream": "1" } as const;

export type Streams = {
  /** A frame that came to the inbox `token`. */
  receive(token: string, packet: Packet): void;
  open(
    subject: string,
    opening: Uint8Array,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<ByteStream>;
  /** Runs `handler` on the stream that `packet` opens; resolves when it has ended. Never throws. */
  accept(packet: Packet, handler: (stream: ByteStream) => Promise<void>): Promise<void>;
  /** Breaks every stream. */
  abortAll(reason: string): void;
};

type Line = {
  readonly token: string;
  /** Where the peer hears; undefined until it has accepted. */
  peer: string | undefined;
  sendNext: number;
  receiveNext: number;
  heardMs: number;
  readonly end: StreamEnd;
  readonly opened: PromiseWithResolvers<void> | undefined;
};

export function streams(wire: Wire, clock: Clock, newToken: () => string): Streams {
  const lines = new Map<string, Line>();
  let tickDueMs: number | undefined;

  function post(line: Line, frame: Frame): void {
    if (line.peer === undefined) return;
    const bytes = encodeFrame(line.sendNext, frame);
    line.sendNext = (line.sendNext + 1) >>> 0;
    wire.publish(line.peer, bytes, { reply: `${wire.inbox}.${line.token}` });
  }

  function add(peer: string | undefined, touched: (line: Line) => void): Line {
    const line: Line = {
      token: newToken(),
      peer,
      sendNext: 0,
      receiveNext: 0,
      heardMs: clock.monotonicMs(),
      opened: peer === undefined ? Promise.withResolvers<void>() : undefined,
      end: streamEnd({
        send: (frame) => post(line, frame),
        touched: () => touched(line),
        finished: () => void lines.delete(line.token),
      }),
    };
    lines.set(line.token, line);
    tick();
    return line;
  }

  /** One timer for all streams, set while there are any. */
  function tick(): void {
    if (tickDueMs !== undefined) return;
    const dueMs = clock.monotonicMs() + pingEveryMs;
    tickDueMs = dueMs;
    clock.after(pingEveryMs, () => {
      tickDueMs = undefined;
      const now = clock.monotonicMs();
      const stalled = now - dueMs > stallMs;
      for (const line of lines.values()) {
        if (stalled) line.heardMs = now;
        if (line.peer !== undefined && now - line.heardMs > silenceMaxMs) {
          line.end.fail("the peer has vanished");
        } else post(line, { kind: "ping" });
      }
      if (lines.size > 0) tick();
    });
  }

  function receive(token: string, packet: Packet): void {
    const line = lines.get(token);
    if (line === undefined) {
      // A stream that only the peer knows: it is told, once for each of its pings.
      const stray = decodeFrame(packet.data);
      if (stray?.frame.kind === "ping" && packet.reply !== undefined) {
        const abort: Frame = { kind: "abort", reason: "the peer no longer knows the stream" };
        wire.publish(packet.reply, encodeFrame(stray.sequence, abort));
      }
      return;
    }
    if (packet.nobody) {
      if (line.peer === undefined) line.opened?.reject(new NoResponders());
      else line.end.fail("the peer has vanished");
      return;
    }
    const decoded = decodeFrame(packet.data);
    if (decoded === undefined) return;
    line.heardMs = clock.monotonicMs();
    const { sequence, frame } = decoded;
    if (line.peer === undefined) return settleOpening(line, sequence, frame, packet);
    if (frame.kind === "accept") return refuseSecond(packet);
    const unnumbered = packet.reply === undefined; // The answer to a ping of a forgotten stream.
    if (!unnumbered && sequence !== line.receiveNext) {
      post(line, { kind: "abort", reason: "a part of the stream was lost" });
      line.end.fail("a part of the stream was lost");
      return;
    }
    line.receiveNext = (sequence + 1) >>> 0;
    line.end.receive(frame);
  }

  function settleOpening(line: Line, sequence: number, frame: Frame, packet: Packet): void {
    if (frame.kind === "refuse") line.opened?.reject(new RemoteFailure(frame.reason));
    if (frame.kind !== "accept" || packet.reply === undefined) return;
    line.peer = packet.reply;
    line.receiveNext = (sequence + 1) >>> 0; // Pings may have come before.
    line.opened?.resolve();
  }

  /** Two instances accepted one opening: the first has it. */
  function refuseSecond({ reply }: Packet): void {
    const abort: Frame = { kind: "abort", reason: "another instance has the stream" };
    if (reply !== undefined) wire.publish(reply, encodeFrame(0, abort));
  }

  return {
    receive,
    async open(subject, opening, { timeoutMs, signal }) {
      signal?.throwIfAborted();
      const line = add(undefined, () => undefined);
      const opened = line.opened ?? Promise.withResolvers<void>();
      const timer = clock.after(timeoutMs, () =>
        opened.reject(new RequestTimeout(`no stream within ${timeoutMs} ms`)),
      );
      const stop = () => opened.reject(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      try {
        const reply = `${wire.inbox}.${line.token}`;
        wire.publish(subject, opening, { reply, headers: streamHeader });
        await opened.promise;
        return line.end.stream;
      } catch (error) {
        line.end.fail("the stream was not opened");
        throw error;
      } finally {
        timer[Symbol.dispose]();
        signal?.removeEventListener("abort", stop);
      }
    },
    async accept(packet, handler) {
      if (packet.reply === undefined) return;
      let taken = false;
      const take = (line: Line) => {
        if (taken) return;
        taken = true;
        post(line, { kind: "accept" });
      };
      const line = add(packet.reply, take);
      using _accepted = clock.after(acceptAfterMs, () => take(line));
      try {
        await handler(line.end.stream);
        take(line);
        line.end.close();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (taken) return line.end.stream.abort(reason);
        post(line, { kind: "refuse", reason });
        line.end.fail(reason);
      }
    },
    abortAll(reason) {
      for (const line of lines.values()) {
        line.opened?.reject(new NoResponders(reason));
        line.end.stream.abort(reason);
      }
    },
  };
}
