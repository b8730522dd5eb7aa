/**
 * The HTTPS server: who is asking, which route, and a Status for whatever goes wrong. What the routes
 * do is the handlers' business.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
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
import { type Limits, limits as usualLimits } from "./limits.ts";
import { type Listener, listen } from "./listener.ts";
import { flagOf } from "./query.ts";
import { type Reply, textReply, valueReply } from "./reply.ts";
import { routeLookup } from "./route-lookup.ts";
import { send, stream } from "./send.ts";
import { traffic, type Visit } from "./traffic.ts";

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
  /** For paths that nothing else serves by any method. */
  readonly fallback?: boolean;
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
  readonly limits?: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** @returns the port that it listens on, and what ends it */
export async function serve(options: ServerOptions): Promise<Listener> {
  const { identity, log, signal, clock, limits = usualLimits } = options;
  await using stack = new AsyncDisposableStack();
  const busy = stack.use(traffic(limits, clock));
  const metricsRoute: Route = {
    method: "GET",
    path: "/metrics",
    handle: async () => textReply(await busy.metrics.text(), 200, "text/plain; version=0.0.4"),
  };
  const find = finder({ ...options, routes: [...options.routes, metricsRoute] });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const found = find(request);
    const { path, query } = found.exchange;
    const visit: Visit = {
      request,
      response,
      path,
      served: found.route !== undefined,
      isWatch: flagOf(query, "watch"),
      always: found.route?.open === true,
      beganAtMs: clock.monotonicMs(),
    };
    const reply = await busy
      .pass(visit, () => replyOf(found, options))
      .catch((error: unknown) => statusReply(error, log));
    const wire = { request, response, clock, waitMs: limits.writeWaitMs, metrics: busy.metrics };
    if (reply.type === "stream") {
      busy.replied(visit, 200);
      const told = (events: number) => busy.metrics.told(busy.asked(visit), events);
      return stream(wire, { ...reply, run: (out) => reply.run({ ...out, told }) }, signal);
    }
    if (reply.type === "raw") {
      await reply.send(response);
      return busy.replied(visit, response.statusCode);
    }
    const pretty = flagOf(query, "pretty");
    await send(wire, reply, { pretty });
    busy.replied(visit, reply.code);
  };

  const request = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error, path: pathOf(request) }, "a reply broke off");
      response.destroy();
    });
  };

  const upgraded = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { route, exchange } = find(request);
    const user = await options.authenticate(request);
    if (user === undefined) throw new ApiError("Unauthorized", "Unauthorized");
    if (route?.upgrade === undefined) throw missing(exchange.otherMethods);
    await route.upgrade({ ...exchange, user, socket, head });
  };

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", (error) => log.debug({ err: error }, "an upgraded connection broke"));
    upgraded(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error, log));
  };

  const { host, port } = options;
  const tls = {
    cert: identity.certificate,
    key: identity.privateKey,
    ca: options.clientAuthority,
    requestCert: true,
    rejectUnauthorized: false, // Who shows none, or another's, has other ways to say who it is.
  };
  const listener = await listen({ host, port, tls, limits, clock }, { request, upgrade });
  stack.use(listener);
  const opened = stack.move();
  return { port: listener.port, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Finds what answers a request. */
function finder(
  options: Pick<ServerOptions, "routes" | "routesNow">,
): (request: IncomingMessage) => Found {
  const lookUp = routeLookup(options);
  return (request) => {
    const { method = "GET", url = "/" } = request;
    const split = url.indexOf("?");
    const path = split < 0 ? url : url.slice(0, split);
    const query = new URLSearchParams(split < 0 ? "" : url.slice(split + 1));
    const { route: found, params } = lookUp(method, path);
    const isServed = (one: string) => {
      const { route } = lookUp(one, path);
      return route !== undefined && route.fallback !== true;
    };
    const otherMethods = (found === undefined || found.fallback === true) && methods.some(isServed);
    const route = otherMethods ? undefined : found;
    return { route, exchange: { method, path, query, params, request, otherMethods } };
  };
}

/**
 * Answers requests that come in another way than over HTTPS, by the same routes. Never throws: what
 * goes wrong is a Status.
 */
export function dispatcher(
  options: Pick<ServerOptions, "routes" | "routesNow" | "log">,
): (request: IncomingMessage, user: UserInfo) => Promise<Reply> {
  const find = finder(options);
  const { log } = options;
  return (request, user) => replyOf(find(request), { authenticate: async () => user, log });
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
  return valueReply(status, { language: "json" }, { code: status.code, headers });
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

function refuseUpgrade(socket: Duplex, error: unknown, log: Log): void {
  const status = refusalOf(error, log).toStatus();
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 ${status.code} ${status.reason}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const pathOf = ({ url = "" }: IncomingMessage) => url.split("?")[0];
