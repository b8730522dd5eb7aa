/**
 * The HTTPS server: who is asking, which route, and a Status for whatever goes wrong. What the routes
 * do is the handlers' business.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import type { HTTPMethod } from "find-my-way";
import { ApiError } from "../../../libs/model/errors.ts";
import { ReplicaLagging } from "../../../libs/store/replica.ts";
import { StoreUnavailable } from "../../../libs/store/store.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Authenticate } from "../auth/authenticate.ts";
import { anonymous, type UserInfo } from "../auth/user.ts";
import type { ServerIdentity } from "../pki/authority.ts";
import { routeLookup } from "./route-lookup.ts";
import { jsonReply, type Out, type Reply } from "./reply.ts";

export type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly request: IncomingMessage;
  readonly user: UserInfo;
  /** The path is served, but not this method on it. */
  readonly otherMethods: boolean;
};

/** A request that asked to become another protocol; its handler owns the socket. */
export type Upgrade = Exchange & { readonly socket: Duplex; readonly head: Buffer };

export type Route = {
  readonly method: HTTPMethod;
  readonly path: string;
  readonly handle: (exchange: Exchange) => Promise<Reply> | Reply;
  /** Answers the request when it asks for an upgrade. */
  readonly upgrade?: (upgrade: Upgrade) => Promise<void>;
  /** Needs no token: health. */
  readonly open?: boolean;
};

export type ServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly identity: ServerIdentity;
  readonly authenticate: Authenticate;
  /** Whose certificates clients may show, PEM: they are asked for one, and need none. */
  readonly clientAuthority: string;
  readonly routes: readonly Route[];
  /** Those that may change while it serves: the same list as long as they do not. */
  readonly routesNow: () => readonly Route[];
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** How long replies that are under way may take once the gateway stops. */
const stopWaitMs = 500;

/** @returns the port that it listens on, and what ends it */
export async function serve(options: ServerOptions): Promise<AsyncDisposable & { port: number }> {
  const { identity, log, signal, clock } = options;
  const lookUp = routeLookup(options);

  const find = (request: IncomingMessage): Found => {
    const url = request.url ?? "/";
    const split = url.indexOf("?");
    const path = split < 0 ? url : url.slice(0, split);
    const query = new URLSearchParams(split < 0 ? "" : url.slice(split + 1));
    const method = request.method ?? "GET";
    const { route, params } = lookUp(method, path);
    const otherMethods =
      route === undefined && methods.some((one) => lookUp(one, path).route !== undefined);
    return { route, exchange: { method, path, query, params, request, otherMethods } };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = await replyOf(find(request), options);
    if (reply.type === "body") {
      send(response, reply);
      return;
    }
    if (reply.type === "raw") await reply.send(response);
    else await stream(response, reply, signal);
  };

  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.privateKey,
      ca: options.clientAuthority,
      requestCert: true,
      rejectUnauthorized: false, // Who shows none, or another's, has other ways to say who it is.
      keepAliveTimeout: 65_000,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        log.error({ err: error, path: pathOf(request) }, "a reply broke off");
        response.destroy();
      });
    },
  );

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const { route, exchange } = find(request);
    const user = await options.authenticate(request);
    if (user === undefined) throw new ApiError("Unauthorized", "Unauthorized");
    if (route?.upgrade === undefined) throw missing(exchange.otherMethods);
    await route.upgrade({ ...exchange, user, socket, head });
  };

  server.on("upgrade", (request, socket, head) => {
    socket.on("error", (error) => log.debug({ err: error }, "an upgraded connection broke"));
    upgrade(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error, log));
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      using _limit = clock.after(stopWaitMs, () => server.closeAllConnections());
      await closed;
    },
  };
}

type Found = {
  readonly route: Route | undefined;
  readonly exchange: Omit<Exchange, "user">;
};

async function replyOf(
  { route, exchange }: Found,
  { authenticate, log }: Pick<ServerOptions, "authenticate" | "log">,
): Promise<Reply> {
  try {
    if (route?.open === true) return await route.handle({ ...exchange, user: anonymous });
    const user = await authenticate(exchange.request);
    if (user === undefined) throw new ApiError("Unauthorized", "Unauthorized");
    if (route === undefined) throw missing(exchange.otherMethods);
    return await route.handle({ ...exchange, user });
  } catch (error) {
    return statusReply(error, log);
  }
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

const missing = (otherMethods: boolean): ApiError =>
  otherMethods
    ? new ApiError(
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
      )
    : new ApiError("NotFound", "the server could not find the requested resource");

/** A refusal as a Status; anything else is a bug: logged, 500 without its details. */
export function statusReply(error: unknown, log: Log): Reply {
  const refusal = refusalOf(error, log);
  const status = refusal.toStatus();
  const { retryAfterSeconds } = refusal.details;
  const headers = retryAfterSeconds === undefined ? {} : { "Retry-After": retryAfterSeconds };
  return jsonReply(JSON.stringify(status), { code: status.code, headers });
}

/** What the caller is told of an error. */
export function refusalOf(error: unknown, log: Log): ApiError {
  if (error instanceof ApiError) return error;
  if (isOutage(error)) {
    log.warn({ err: error }, "the state cannot be reached");
    return new ApiError("ServiceUnavailable", "the cluster's state cannot be reached", {
      retryAfterSeconds: 1,
    });
  }
  log.error({ err: error }, "a request failed");
  return new ApiError("InternalError", "Internal error occurred");
}

/** The state cannot be reached now; later it can. */
export const isOutage = (error: unknown): boolean =>
  error instanceof StoreUnavailable || error instanceof ReplicaLagging;

function send(response: ServerResponse, reply: Extract<Reply, { type: "body" }>): void {
  const body = Buffer.from(reply.body);
  response.writeHead(reply.code, {
    "Cache-Control": "no-cache, private",
    ...reply.headers,
    "Content-Type": reply.contentType,
    "Content-Length": body.byteLength,
  });
  response.end(body);
}

async function stream(
  response: ServerResponse,
  reply: Extract<Reply, { type: "stream" }>,
  stop: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, {
    "Cache-Control": "no-cache, private",
    ...reply.headers,
    "Content-Type": reply.contentType,
  });
  response.flushHeaders();
  const out: Out = {
    signal: AbortSignal.any([gone.signal, stop]),
    write: (chunk) =>
      new Promise((resolve) => {
        if (gone.signal.aborted || response.write(chunk)) return resolve();
        const done = () => {
          response.off("drain", done);
          gone.signal.removeEventListener("abort", done);
          resolve();
        };
        response.once("drain", done);
        gone.signal.addEventListener("abort", done, { once: true });
      }),
  };
  await reply.run(out);
  // A connection that is kept would keep the gateway from stopping.
  response.end(() => {
    if (stop.aborted) response.socket?.destroySoon();
  });
}

function refuseUpgrade(socket: Duplex, error: unknown, log: Log): void {
  const status = refusalOf(error, log).toStatus();
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 ${status.code} ${status.reason}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const pathOf = ({ url = "" }: IncomingMessage) => url.split("?")[0];
