import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import {
  type Bus,
  type ByteStream,
  NoResponders,
  RemoteFailure,
  RequestTimeout,
  StreamBroken,
} from "./bus.ts";

/** Two buses that hear each other, and the power to take the second off the network. */
export type Pair = AsyncDisposable & {
  readonly near: Bus;
  readonly far: Bus;
  readonly cut: () => void;
  readonly mend: () => void;
};

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const none = new Uint8Array();
const echo = async ({ data }: { readonly data: Uint8Array }) => data;
const holds = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 5 });

/** What every Bus must do. */
export function busContract(name: string, open: () => Promise<Pair>): void {
  describe(`${name} keeps the Bus contract`, () => {
    describe("requests", () => {
      requests(open);
    });
    describe("streams", () => {
      streamsOf(open);
    });
    describe("the connection", () => {
      connection(open);
    });
  });
}

function requests(open: () => Promise<Pair>): void {
  test("are answered, also by their own side", async () => {
    await using pair = await open();
    await pair.far.serve("echo.*", echo);
    await pair.near.serve("own", echo);
    expect(text(await pair.near.request("echo.a", bytes("hello")))).toBe("hello");
    expect(text(await pair.near.request("own", bytes("hello")))).toBe("hello");
  });

  test("fail at once where nobody serves, also after the server has gone", async () => {
    await using pair = await open();
    await expect(pair.near.request("nobody", none)).rejects.toThrow(NoResponders);
    const served = await pair.far.serve("once", echo);
    await pair.near.request("once", none);
    await served[Symbol.asyncDispose]();
    await expect(pair.near.request("once", none)).rejects.toThrow(NoResponders);
  });

  test("end at their time-out or with their signal", async () => {
    await using pair = await open();
    await pair.far.serve("silent", async () => undefined);
    await expect(pair.near.request("silent", none, { timeoutMs: 20 })).rejects.toThrow(
      RequestTimeout,
    );
    const stop = new AbortController();
    const asked = pair.near.request("silent", none, { signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(asked).rejects.toThrow("stopped");
  });

  test("say why the other side failed", async () => {
    await using pair = await open();
    await pair.far.serve("broken", () => Promise.reject(new Error("no\r\nsuch pod")));
    const asked = pair.near.request("broken", none);
    await expect(asked).rejects.toThrow(RemoteFailure);
    await expect(asked).rejects.toThrow("no\r\nsuch pod");
  });

  test("are answered by whoever is not silent", async () => {
    await using pair = await open();
    await pair.near.serve("who", async () => undefined);
    await pair.far.serve("who", async () => bytes("me"));
    expect(text(await pair.near.request("who", none))).toBe("me");
  });

  test("go to one instance of a queue, and to all without one", async () => {
    await using pair = await open();
    const heard: string[] = [];
    for (const bus of [pair.near, pair.far]) {
      await bus.serve("shared", async () => bytes(String(heard.push("shared"))), { queue: "q" });
      await bus.subscribe("all", () => void heard.push("all"));
    }
    await Promise.all(Array.from({ length: 20 }, () => pair.near.request("shared", none)));
    expect(heard).toHaveLength(20);
    pair.near.publish("all", none);
    await holds(() => expect(heard.filter((one) => one === "all")).toHaveLength(2));
  });

  test("run at most `concurrency` at once, the rest wait", async () => {
    await using pair = await open();
    const gate = Promise.withResolvers<void>();
    let [working, most] = [0, 0];
    const work = async () => {
      working += 1;
      most = Math.max(most, working);
      await gate.promise;
      working -= 1;
      return none;
    };
    await pair.far.serve("slow", work, { concurrency: 3 });
    const asked = Array.from({ length: 10 }, () => pair.near.request("slow", none));
    await holds(() => expect(working).toBe(3));
    gate.resolve();
    await Promise.all(asked);
    expect(most).toBe(3);
  });

  test("are heard by a subscriber one at a time, in order, though it fails", async () => {
    await using pair = await open();
    const heard: string[] = [];
    await pair.far.subscribe("news.>", async ({ data }) => {
      await Promise.resolve();
      heard.push(text(data));
      if (heard.length === 2) throw new Error("once");
    });
    for (let nth = 0; nth < 50; nth += 1) pair.near.publish("news.a.b", bytes(String(nth)));
    await holds(() => expect(heard).toEqual(Array.from({ length: 50 }, (_, nth) => String(nth))));
  });

  test("at work are finished when what serves them is disposed of", async () => {
    await using pair = await open();
    const [started, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const served = await pair.far.serve("work", async () => {
      started.resolve();
      await gate.promise;
      return bytes("done");
    });
    const asked = pair.near.request("work", none);
    await started.promise;
    const disposed = served[Symbol.asyncDispose]();
    gate.resolve();
    expect(text(await asked)).toBe("done");
    await disposed;
  });
}

function streamsOf(open: () => Promise<Pair>): void {
  test("carry chunks both ways as they were written, and half-close", async () => {
    await using pair = await open();
    await pair.far.accept("upper", async (stream, { data }) => {
      await stream.write(data);
      for await (const chunk of stream.readable)
        await stream.write(bytes(text(chunk).toUpperCase()));
      await stream.write(bytes("bye"));
    });
    await using stream = await pair.near.open("upper", bytes("opening"));
    for (const word of ["a", "bc", "", "d"]) await stream.write(bytes(word));
    await stream.end();
    expect((await Array.fromAsync(stream.readable)).map(text)).toEqual([
      "opening",
      "A",
      "BC",
      "",
      "D",
      "bye",
    ]);
    await holds(() => expect(stream.closed.aborted).toBe(true));
  });

  test("say when nobody serves them, when they are refused, and when nobody answers", async () => {
    await using pair = await open();
    await expect(pair.near.open("nobody", none)).rejects.toThrow(NoResponders);
    await pair.far.accept("refused", () => Promise.reject(new Error("no such container")));
    const refused = pair.near.open("refused", none);
    await expect(refused).rejects.toThrow(RemoteFailure);
    await expect(refused).rejects.toThrow("no such container");
    await pair.far.serve("silent", async () => undefined);
    await expect(pair.near.open("silent", none, { timeoutMs: 20 })).rejects.toThrow(RequestTimeout);
  });

  test("open though their handler says nothing", async () => {
    await using pair = await open();
    const ended = Promise.withResolvers<void>();
    await pair.far.accept("quiet", async (stream) => {
      stream.closed.addEventListener("abort", () => ended.resolve());
      await ended.promise;
    });
    const stream = await pair.near.open("quiet", none);
    await stream[Symbol.asyncDispose]();
    await expect(ended.promise).resolves.toBeUndefined();
  });

  test("make a writer wait for a slow reader, and take up again", async () => {
    await using pair = await open();
    const chunk = new Uint8Array(16 * 1_024);
    let written = 0;
    await pair.far.accept("flood", async (stream) => {
      for (; written < 200; written += 1) await stream.write(chunk);
    });
    const stream = await pair.near.open("flood", none);
    const reader = stream.readable[Symbol.asyncIterator]();
    await reader.next();
    await pair.near.request("nobody", none).catch(() => undefined); // A round trip after the writes.
    expect(written).toBeLessThanOrEqual(17);
    let read = 1;
    for await (const _chunk of stream.readable) read += 1;
    expect(read).toBe(200);
  });

  test("carry 64 MiB intact", async () => {
    await using pair = await open();
    const [sent, received] = [createHash("sha256"), createHash("sha256")];
    const chunkBytes = 64 * 1_024;
    await pair.far.accept("big", async (stream) => {
      for (let nth = 0; nth < 1_024; nth += 1) {
        const chunk = new Uint8Array(chunkBytes).fill(nth % 251);
        sent.update(chunk);
        await stream.write(chunk);
      }
    });
    const stream = await pair.near.open("big", none);
    let length = 0;
    for await (const chunk of stream.readable) {
      length += chunk.byteLength;
      received.update(chunk);
    }
    expect(length).toBe(64 * 1_024 * 1_024);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
  });

  test("refuse a chunk that is too large", async () => {
    await using pair = await open();
    await pair.far.accept("any", drain);
    await using stream = await pair.near.open("any", none);
    await expect(stream.write(new Uint8Array(64 * 1_024 + 1))).rejects.toThrow(RangeError);
  });

  test("break on both sides with the reason of an abort", async () => {
    await using pair = await open();
    const failed = Promise.withResolvers<unknown>();
    await pair.far.accept("any", (stream) => drain(stream).catch(failed.resolve));
    const stream = await pair.near.open("any", none);
    stream.abort("enough");
    await expect(failed.promise).resolves.toMatchObject({ message: "enough" });
    await expect(stream.write(none)).rejects.toThrow(StreamBroken);
    expect(stream.closed.aborted).toBe(true);
  });

  test("break when their handler throws", async () => {
    await using pair = await open();
    await pair.far.accept("fails", async (stream) => {
      await stream.write(bytes("first"));
      throw new Error("the engine is gone");
    });
    const stream = await pair.near.open("fails", none);
    const read = Array.fromAsync(stream.readable);
    await expect(read).rejects.toThrow(new StreamBroken("the engine is gone"));
  });

  test("tell a writer that its reader has gone", async () => {
    await using pair = await open();
    const failed = Promise.withResolvers<unknown>();
    await pair.far.accept("logs", async (stream) => {
      for (;;)
        await stream.write(new Uint8Array(32 * 1_024)).catch((error: unknown) => {
          failed.resolve(error);
          throw error;
        });
    });
    const stream = await pair.near.open("logs", none);
    await stream[Symbol.asyncDispose]();
    await expect(failed.promise).resolves.toBeInstanceOf(StreamBroken);
  });

  test("break within seconds when the peer has vanished", async () => {
    await using pair = await open();
    const failed = Promise.withResolvers<unknown>();
    await pair.far.accept("any", (stream) => drain(stream).catch(failed.resolve));
    const stream = await pair.near.open("any", none);
    const read = Array.fromAsync(stream.readable);
    pair.cut();
    await expect(read).rejects.toThrow(StreamBroken);
    await expect(failed.promise).resolves.toBeInstanceOf(StreamBroken);
  });

  test("end when the server of their subject is disposed of", async () => {
    await using pair = await open();
    const served = await pair.far.accept("any", drain);
    const stream = await pair.near.open("any", none);
    const read = Array.fromAsync(stream.readable);
    await Promise.all([expect(read).rejects.toThrow(StreamBroken), served[Symbol.asyncDispose]()]);
  });
}

async function drain({ readable }: ByteStream): Promise<void> {
  for await (const _chunk of readable);
}

function connection(open: () => Promise<Pair>): void {
  test("is healthy since it was made, and anew after a break", async () => {
    await using pair = await open();
    const since = pair.far.healthySinceMs();
    expect(since).toBeTypeOf("number");
    let reconnects = 0;
    using _counted = pair.far.onReconnect(() => {
      reconnects += 1;
    });
    pair.cut();
    await holds(() => expect(pair.far.healthySinceMs()).toBeUndefined());
    const asked = pair.far.request("near", none, { timeoutMs: 10_000 });
    pair.mend();
    await pair.near.serve("near", echo);
    await holds(() => expect(reconnects).toBe(1));
    expect(pair.far.healthySinceMs()).toBeGreaterThan(since ?? Infinity);
    await asked;
  });

  test("serves again after a break", async () => {
    await using pair = await open();
    await pair.far.serve("echo", echo);
    pair.cut();
    await holds(() => expect(pair.far.healthySinceMs()).toBeUndefined());
    pair.mend();
    await holds(() => expect(pair.far.healthySinceMs()).toBeDefined());
    await vi.waitFor(() => pair.near.request("echo", none), { timeout: 10_000 });
  });
}
