import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import {
  type ApiRequest,
  type ApiResponse,
  type Transport,
  TransportFailure,
} from "./transport.ts";

export type HttpsOptions = {
  /** `https://host:port`. */
  readonly server: string;
  /** The certificate that the server's is signed by, PEM; the system's own ones when absent. */
  readonly authority?: string;
  /** A bearer token. */
  readonly token?: string;
  /** A client certificate and its key, PEM. */
  readonly certificate?: { readonly certificate: string; readonly privateKey: string };
  /** As the server logs it, and names who manages a field. Default `berth-client`. */
  readonly userAgent?: string;
};

/** Connections that are kept at once; further requests wait. */
const socketsMax = 64;
const defaultAgent = "berth-client";

/** A gateway over HTTPS: connections are kept and shared. */
export function overHttps(options: HttpsOptions): Transport {
  const { server, authority, token, certificate, userAgent = defaultAgent } = options;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: socketsMax,
    ...(authority !== undefined && { ca: authority }),
    ...(certificate !== undefined && {
      cert: certificate.certificate,
      key: certificate.privateKey,
    }),
  });
  const own = {
    "user-agent": userAgent,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };

  const ask = ({ method, path, headers, body, signal }: ApiRequest) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const url = new URL(path, server);
      const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
      const all = { ...own, ...headers, ...length };
      const sent = request(
        url,
        { method, agent, headers: all, ...(signal !== undefined && { signal }) },
        resolve,
      );
      sent.on("error", reject);
      sent.end(body);
    });

  return {
    async send(asked): Promise<ApiResponse> {
      const reply = await ask(asked).catch((error: unknown) => {
        throw new TransportFailure("the gateway was not reached", { cause: error });
      });
      return { code: reply.statusCode ?? 0, headers: headersOf(reply), body: bodyOf(reply) };
    },
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const given = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
  );
  return Object.fromEntries(given) as Record<string, string>; // Pairs of texts.
}

async function* bodyOf(reply: IncomingMessage): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of reply as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw new TransportFailure("the reply broke off", { cause: error });
  } finally {
    reply.destroy();
  }
}
