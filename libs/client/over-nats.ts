import { type Bus, type ByteStream, NoResponders, RemoteFailure } from "../bus/bus.ts";
import { readMessage } from "../protocol/read-message.ts";
import { type RestHead, restHead, type RestOpening } from "../protocol/rest.ts";
import { apiStreams } from "../protocol/subjects.ts";
import {
  type ApiRequest,
  type ApiResponse,
  type Transport,
  TransportFailure,
} from "./transport.ts";

export type OverNatsOptions = {
  /** As the server logs it, and names who manages a field. Default `berth-client`. */
  readonly userAgent?: string;
  /** How long a gateway may take to take a request on. Default 5 s. */
  readonly openTimeoutMs?: number;
};

const chunkBytes = 64 * 1_024;

/**
 * Any gateway, over NATS: each request is a stream, so replies of any size are read at the reader's
 * pace. Where no gateway answers yet, it fails at once, as a refused connection does.
 *
 * @param bus stays open when the transport is disposed of
 */
export function overNats(bus: Bus, options: OverNatsOptions = {}): Transport {
  const { userAgent = "berth-client", openTimeoutMs = 5_000 } = options;
  return {
    async send(asked): Promise<ApiResponse> {
      asked.signal?.throwIfAborted();
      const opening: RestOpening = {
        method: asked.method,
        path: asked.path,
        headers: { "user-agent": userAgent, ...asked.headers },
      };
      const data = new TextEncoder().encode(JSON.stringify(opening));
      const stream = await open(bus, data, openTimeoutMs);
      const stop = () => stream.abort("the client has gone");
      asked.signal?.addEventListener("abort", stop, { once: true });
      if (asked.signal?.aborted === true) stop();
      try {
        await writeBody(stream, asked);
        return await answerOf(stream, () => asked.signal?.removeEventListener("abort", stop));
      } catch (error) {
        stream.abort("the request failed");
        asked.signal?.throwIfAborted();
        throw new TransportFailure("the gateway did not answer", { cause: error });
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function open(bus: Bus, opening: Uint8Array, timeoutMs: number): Promise<ByteStream> {
  try {
    return await bus.open(apiStreams, opening, { timeoutMs });
  } catch (error) {
    const nobody = error instanceof NoResponders ? "no gateway is there" : "no gateway answers";
    const message = error instanceof RemoteFailure ? error.message : nobody;
    throw new TransportFailure(message, { cause: error });
  }
}

async function writeBody(stream: ByteStream, { body }: ApiRequest): Promise<void> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  for (let at = 0; bytes !== undefined && at < bytes.byteLength; at += chunkBytes) {
    await stream.write(bytes.subarray(at, at + chunkBytes));
  }
  await stream.end();
}

async function answerOf(stream: ByteStream, over: () => void): Promise<ApiResponse> {
  const chunks = stream.readable[Symbol.asyncIterator]();
  const first = await chunks.next();
  const head: RestHead | undefined =
    first.done === true ? undefined : readMessage(restHead, first.value);
  if (head === undefined) throw new TypeError("the reply has no head");
  return { ...head, body: restOf(chunks, stream, over) };
}

async function* restOf(
  chunks: AsyncIterator<Uint8Array>,
  stream: ByteStream,
  over: () => void,
): AsyncIterable<Uint8Array> {
  try {
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      yield next.value;
    }
  } catch (error) {
    throw new TransportFailure("the reply broke off", { cause: error });
  } finally {
    over();
    if (!stream.closed.aborted) stream.abort("the client reads no more");
  }
}
