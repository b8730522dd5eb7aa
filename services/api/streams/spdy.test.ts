/** The adapter against the other side of the same library, and against frames as client-go sends them. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import transport from "spdy-transport";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { type SpdyConnection, spdyConnection, type SpdyStream } from "./spdy.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Served = { readonly connection: SpdyConnection; readonly server: Socket };

/** A client of one that serves each stream so. */
async function open(accept: (stream: SpdyStream) => void) {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const served = Promise.withResolvers<Served>();
  server.on("connection", (socket: Socket) => {
    const connection = spdyConnection(socket, { accept, clock: systemClock });
    served.resolve({ connection, server: socket });
  });
  const socket = connect(address.port, "127.0.0.1");
  socket.on("error", () => undefined); // It is told by what the test waits for.
  const client = transport.connection.create(socket, { protocol: "spdy", isServer: false });
  client.on("error", () => undefined); // As above.
  client.start(3.1);
  closing.push(() => {
    socket.destroy();
    server.close();
  });
  const stream = (type: string) =>
    client.request({ method: "POST", path: "/", headers: { streamtype: type } });
  return { stream, client, socket, ...(await served.promise) };
}

/** What a stream says until its end. */
async function heard(stream: ReturnType<Awaited<ReturnType<typeof open>>["stream"]>) {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "end");
  return Buffer.concat(chunks).toString();
}

async function echo(stream: SpdyStream): Promise<void> {
  let text = "";
  for await (const chunk of stream.readable) text += Buffer.from(chunk).toString();
  await stream.write(Buffer.from(`${stream.header("streamType")} ${text}`));
  stream.end();
}
const serve = (stream: SpdyStream) => void echo(stream);

test("a stream ends on each side alone, whenever its end comes", async () => {
  const { stream } = await open(serve);
  const [early, late] = [stream("early"), stream("late")];
  early.end("at once");
  late.write("in ");
  const answers = [heard(early), heard(late)];
  expect(await answers[0]).toBe("early at once");
  late.write("time");
  setImmediate(() => late.end());
  expect(await answers[1]).toBe("late in time");
});

test("more than any window passes both ways", async () => {
  const { stream } = await open(serve);
  const text = "x".repeat(5_000_000);
  const long = stream("long");
  long.end(text);
  expect((await heard(long)).length).toBe("long ".length + text.length);
});

test("a reader that is slow holds back a client that knows no windows", async () => {
  const read = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const { stream, client, server } = await open((one) => {
    opened.resolve();
    read.promise.then(() => echo(one)).catch(expect.unreachable);
  });
  const long = stream("long");
  await opened.promise;
  client._spdyState.window.send.current = 2 ** 30;
  long._spdyState.window.send.current = 2 ** 30;
  const bytes = 4_000_000;
  long.end(Buffer.alloc(bytes));
  const answer = heard(long);
  for (let before = -1; server.bytesRead !== before;) {
    before = server.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 100)); // As long as it goes on.
  }
  expect(server.bytesRead).toBeLessThan(1_000_000);
  read.resolve();
  expect((await answer).length).toBe("long ".length + bytes);
});

test("a reset by the client breaks the read, a close of the connection everything", async () => {
  const failures: string[] = [];
  const { stream, socket, connection } = await open((one) => {
    echo(one).catch((error: unknown) => failures.push(String(error)));
  });
  const reset = stream("reset");
  reset.write("x");
  await once(reset, "response");
  reset.abort();
  await expect.poll(() => failures).toEqual(["Error: the client has closed the stream"]);
  socket.destroy();
  await expect.poll(() => connection.closed.aborted).toBe(true);
});

test("what was written is sent before the connection ends", async () => {
  const { stream, connection } = await open((one) => {
    const say = async () => {
      await one.write(Buffer.alloc(1_000_000, "y"));
      one.end();
      await connection.end();
    };
    say().catch(expect.unreachable);
  });
  const asked = stream("any");
  asked.write("unread");
  expect((await heard(asked)).length).toBe(1_000_000);
});

test("no stream's word, nor the connection's end, overtakes a reply", async () => {
  const accepted: SpdyStream[] = [];
  const { stream, client, connection } = await open((one) => {
    if (accepted.push(one) < 2) return;
    for (const each of accepted) each.end();
    connection.end().catch(expect.unreachable);
  });
  const frames: string[] = [];
  client.on("frame", ({ type }) => frames.push(type));
  stream("first").resume();
  stream("second").resume();
  const answers = () => frames.filter((type) => type === "HEADERS" || type === "DATA");
  await expect.poll(answers).toEqual(["HEADERS", "HEADERS", "DATA", "DATA"]);
});

test("headers larger than any client's end the connection", async () => {
  const { socket, connection } = await open(serve);
  // SYN_STREAM of 1 MiB: a control frame's head.
  socket.write(Buffer.from([0x80, 3, 0, 1, 0, 0x10, 0, 0]));
  await expect.poll(() => connection.closed.aborted).toBe(true);
});
