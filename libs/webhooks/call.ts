/**
 * One request to a webhook: HTTPS, the configuration's own CA, bounded in time and size. What is asked
 * and what the answer means is the caller's business; so are retries, beyond a connection that was
 * kept and is closed.
 *
 *     const answer = await callWebhook(clientConfig, review, { timeoutMs: 10_000, signal, resolve });
 */
import type { IncomingMessage } from "node:http";
import { Agent, request, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import { faultOf } from "./call-faults.ts";

/** How a webhook is reached: `WebhookClientConfig` of admissionregistration and apiextensions. */
export type ClientConfig = {
  readonly url?: string | undefined;
  readonly service?: ServiceReference | undefined;
  /** PEM, in base64; absent: the authorities that this process trusts. */
  readonly caBundle?: string | undefined;
};
export type ServiceReference = {
  readonly namespace: string;
  readonly name: string;
  readonly path?: string | undefined;
  /** 443 when absent. */
  readonly port?: number | undefined;
};

export type Endpoint = { readonly host: string; readonly port: number };

export type CallOptions = {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Where a Service is now, the first to be tried first; none answers nothing.
   *
   * @throws {Error} whose message says why there is none
   */
  readonly resolve: (service: {
    readonly namespace: string;
    readonly name: string;
    readonly port: number;
  }) => readonly Endpoint[];
  /** More than this of an answer fails the call. */
  readonly replyMaxBytes?: number;
};

/** The webhook gave no usable answer; the message is in Kubernetes' words, after "failed to call webhook: ". */
export class WebhookCallFailed extends Error {
  override readonly name = "WebhookCallFailed";
}

const replyMaxBytesDefault = 16 * 1_024 * 1_024;
/** So much of what a webhook answers in place of a review is quoted. */
const quotedMaxChars = 256;
/** Of a Service's endpoints that refuse a connection so many are tried. */
const endpointsTriedMax = 3;

/** Connections are kept for the next call; each configuration's are its own, by its CA and host. */
const agent = new Agent({
  keepAlive: true,
  keepAliveMsecs: 30_000,
  maxSockets: 256,
  maxTotalSockets: 1_024,
  maxFreeSockets: 16,
  timeout: 90_000,
});

/**
 * Posts `body` and gives what was answered, parsed as JSON.
 *
 * @throws {WebhookCallFailed} when there is no answer, it is no JSON, or its code is not of 2xx
 */
export async function callWebhook(
  { url, service, caBundle }: ClientConfig,
  body: unknown,
  options: CallOptions,
): Promise<unknown> {
  const { timeoutMs, signal } = options;
  const target = targetOf({ url, service }, timeoutMs);
  const bounded = AbortSignal.timeout(timeoutMs);
  const asked: Asked = {
    ...target,
    payload: Buffer.from(JSON.stringify(body)),
    replyMaxBytes: options.replyMaxBytes ?? replyMaxBytesDefault,
    ca: caBundle === undefined || caBundle === "" ? undefined : Buffer.from(caBundle, "base64"),
    stop: signal === undefined ? bounded : AbortSignal.any([bounded, signal]),
  };
  try {
    const places =
      service === undefined ? [] : options.resolve({ ...service, port: service.port ?? 443 });
    const tried = target.place === undefined ? places.slice(0, endpointsTriedMax) : [target.place];
    return parsed(await firstAnswer(tried, asked));
  } catch (error) {
    if (error instanceof WebhookCallFailed) throw error;
    const said = bounded.aborted
      ? "context deadline exceeded"
      : signal?.aborted === true
        ? "context canceled"
        : faultOf(error);
    throw new WebhookCallFailed(`Post ${JSON.stringify(target.shown)}: ${said}`, { cause: error });
  }
}

type Asked = Pick<Target, "path" | "host" | "serverName"> & {
  readonly payload: Buffer;
  readonly replyMaxBytes: number;
  readonly ca: Buffer | undefined;
  readonly stop: AbortSignal;
};
type Answer = { readonly code: number; readonly body: string };

/** What is asked, and of whom; the time that is left for an answer is told, as Kubernetes does. */
type Target = {
  /** As messages show it. */
  readonly shown: string;
  readonly path: string;
  readonly host: string;
  readonly serverName: string;
  /** Absent: of a Service, which is resolved. */
  readonly place: Endpoint | undefined;
};

function targetOf(
  { url, service }: Pick<ClientConfig, "url" | "service">,
  timeoutMs: number,
): Target {
  const timeout = `timeout=${Math.ceil(timeoutMs / 1_000)}s`;
  if (service !== undefined) return serviceTarget(service, timeout);
  if (url === undefined || url === "") {
    throw new WebhookCallFailed("webhook configuration must have either service or URL");
  }
  const target = URL.parse(url);
  if (target === null) throw new WebhookCallFailed(`Unparsable URL: ${JSON.stringify(url)}`);
  if (target.protocol !== "https:") {
    throw new WebhookCallFailed(`Post ${JSON.stringify(target.href)}: only https is allowed`);
  }
  const path = `${target.pathname}${target.search === "" ? "?" : `${target.search}&`}${timeout}`;
  const serverName = target.hostname.replaceAll(/^\[|\]$/g, "");
  const place = { host: serverName, port: target.port === "" ? 443 : Number(target.port) };
  return { shown: `https://${target.host}${path}`, path, host: target.host, serverName, place };
}

function serviceTarget(
  { name, namespace, port = 443, path = "" }: ServiceReference,
  timeout: string,
): Target {
  const serverName = `${name}.${namespace}.svc`;
  const host = `${serverName}:${port}`;
  const rooted = path.startsWith("/") ? path : `/${path}`;
  const asked = `${encodeURI(rooted)}${rooted.includes("?") ? "&" : "?"}${timeout}`;
  return { shown: `https://${host}${asked}`, path: asked, host, serverName, place: undefined };
}

/** One that refuses the connection has not been asked: then the next one is. */
async function firstAnswer(places: readonly Endpoint[], asked: Asked): Promise<Answer> {
  let last: unknown = new Error("no endpoints available");
  for (const place of places) {
    try {
      return await answerOf(place, asked);
    } catch (error) {
      last = error;
      if (asked.stop.aborted || !refusedToConnect(error)) throw error;
    }
  }
  throw last;
}

/** A kept connection that its server closed in the meantime is no answer: it is asked on a new one. */
async function answerOf(place: Endpoint, asked: Asked): Promise<Answer> {
  const reused = { was: false };
  try {
    return await exchange(place, asked, { agent, reused });
  } catch (error) {
    if (!reused.was || asked.stop.aborted || !isReset(error)) throw error;
    return exchange(place, asked, { agent: false, reused });
  }
}

function exchange(
  place: Endpoint,
  { path, payload, ca, serverName, host, stop, replyMaxBytes }: Asked,
  connection: { readonly agent: Agent | false; readonly reused: { was: boolean } },
): Promise<Answer> {
  const options: RequestOptions = {
    agent: connection.agent,
    host: place.host,
    port: place.port,
    method: "POST",
    path,
    signal: stop,
    ...(ca !== undefined && { ca }),
    // An address is no name to send; the certificate is checked against it all the same.
    ...(isIP(serverName) === 0 && { servername: serverName }),
    headers: {
      Host: host,
      Accept: "application/json, */*",
      "Content-Type": "application/json",
      "Content-Length": payload.byteLength,
      "User-Agent": "berth",
    },
  };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(options, (response) => {
    readAll(response, replyMaxBytes).then(
      (body) => resolve({ code: response.statusCode ?? 0, body }),
      reject,
    );
  });
  sent.once("error", (error) => {
    connection.reused.was = sent.reusedSocket;
    reject(error);
  });
  sent.end(payload);
  return promise;
}

async function readAll(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      response.destroy();
      throw new Error(`the response is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @throws {WebhookCallFailed} in the words that Kubernetes' client has for an answer that is none */
function parsed({ code, body }: Answer): unknown {
  if (code < 200 || code > 299) throw new WebhookCallFailed(refusalOf(code, body));
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new WebhookCallFailed(
      `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : ""}`,
      { cause: error },
    );
  }
}

function refusalOf(code: number, body: string): string {
  switch (code) {
    case 400:
      return "the server rejected our request for an unknown reason";
    case 401:
      return "the server has asked for the client to provide credentials";
    case 403:
      return "forbidden";
    case 404:
      return "the server could not find the requested resource";
    case 405:
      return "the server does not allow this method on the requested resource";
    case 413:
      return "Request entity too large";
    case 429:
      return "the server has received too many requests and has asked us to try again later";
    case 503:
      return "the server is currently unable to handle the request";
    case 504:
      return "the server was unable to return a response in the time allotted, but may still be processing the request";
    default:
      return code >= 500
        ? `an error on the server (${JSON.stringify(quoted(body))}) has prevented the request from succeeding`
        : `the server responded with the status code ${code} but did not return more information`;
  }
}

const quoted = (body: string) =>
  body.trim() === "" ? "unknown" : body.trim().slice(0, quotedMaxChars);

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
const refusedToConnect = (error: unknown) =>
  ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"].includes(String(codeOf(error)));
const isReset = (error: unknown) => ["ECONNRESET", "EPIPE"].includes(String(codeOf(error)));
