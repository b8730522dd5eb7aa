/** `proxy` of pods and services: a request passed on to one of them, over a stream to its node. */
import { type ClientRequest, type IncomingMessage, request as send } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connect as secured } from "node:tls";
import { duplexOf } from "../../../libs/bus/duplex.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Reply } from "../http/reply.ts";
import { rootsOf } from "../http/resource-routes.ts";
import type { Exchange, Route, Upgrade } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";
import { readObject } from "../resources/read.ts";
import { NodeRefusal, openOn } from "./node-stream.ts";
import { proxyTarget } from "./proxy-target.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** The routes of a kind that has servers of its own behind it, or of Nodes, which have none. */
export function proxyRoutes(gateway: Gateway, kind: Kind): readonly Route[] {
  const one = `${rootsOf(kind).own}/:name/proxy`;
  const isNode = kind.kind === "Node";
  return methods.flatMap((method) =>
    [one, `${one}/*`].map((path): Route => ({
      method,
      path,
      handle: (exchange) =>
        isNode ? refuseNode(gateway, kind, exchange) : passOn(gateway, kind, exchange),
      ...(!isNode && { upgrade: (upgrade) => passUpgrade(gateway, kind, upgrade) }),
    })),
  );
}

/** @throws {ApiError} NotFound, always */
async function refuseNode(gateway: Gateway, kind: Kind, { params }: Exchange): Promise<Reply> {
  const name = params["name"] ?? "";
  await readObject(gateway.backendFor(kind), { kind, namespace: undefined, name }, undefined);
  throw new ApiError("NotFound", `node ${name} has no server of its own to pass requests on to`);
}

async function passOn(gateway: Gateway, kind: Kind, exchange: Exchange): Promise<Reply> {
  const { request, method } = exchange;
  const { base, rest } = pathOf(exchange);
  if (rest === "" && (method === "GET" || method === "HEAD")) return toFolder(base, request);
  const outgoing = await begin(gateway, kind, { exchange, rest, headers: endToEnd(request) });
  const gone = () => outgoing.destroy();
  // Of HTTP/2 a connection outlives its requests.
  const { stream: carrier = request.socket } = request as { stream?: Duplex };
  carrier.once("close", gone);
  try {
    const answered = answerTo(outgoing);
    await Promise.race([pipeline(request, outgoing), answered]);
    const answer = await answered;
    return {
      type: "raw",
      async send(response) {
        const { statusCode = 502 } = answer;
        response.writeHead(statusCode, { ...endToEnd(answer), ...relocated(answer, base) });
        try {
          await pipeline(answer, response);
        } finally {
          carrier.off("close", gone);
        }
      },
    };
  } catch (error) {
    carrier.off("close", gone);
    outgoing.destroy();
    throw unreachable(error);
  }
}

/** A page's own links are relative to a folder. */
const toFolder = (base: string, { url = "" }: IncomingMessage): Reply => ({
  type: "body",
  code: 301,
  contentType: "text/plain",
  body: "",
  headers: { Location: `${base}/${url.includes("?") ? url.slice(url.indexOf("?")) : ""}` },
});

/** @throws {ApiError} as `passOn` */
async function passUpgrade(gateway: Gateway, kind: Kind, upgrade: Upgrade): Promise<void> {
  const { request, socket, head } = upgrade;
  const { rest } = pathOf(upgrade);
  const headers = { ...endToEnd(request), connection: "Upgrade", upgrade: request.headers.upgrade };
  const outgoing = await begin(gateway, kind, { exchange: upgrade, rest: rest || "/", headers });
  const upgraded = new Promise<[IncomingMessage, Duplex, Buffer]>((resolve, reject) => {
    outgoing.once("upgrade", (...answer) => resolve(answer));
    outgoing.once("response", (answer) => reject(new Refused(answer)));
    outgoing.once("error", reject);
  });
  outgoing.end();
  try {
    const [answer, other, first] = await upgraded;
    socket.write(headOf(answer, [["Connection", "Upgrade"]]));
    if (first.length > 0) other.unshift(first);
    if (head.length > 0) socket.unshift(head);
    await Promise.all([pipeline(socket, other), pipeline(other, socket)]);
  } catch (error) {
    if (error instanceof Refused) {
      socket.write(headOf(error.answer, [["Connection", "close"]]));
      await pipeline(error.answer, socket);
      return;
    }
    outgoing.destroy();
    if (socket.writableLength === 0 && !socket.destroyed) throw unreachable(error);
    socket.destroy();
  }
}

/** The server does not speak the other protocol. */
class Refused extends Error {
  override readonly name = "Refused";
  readonly answer: IncomingMessage;
  constructor(answer: IncomingMessage) {
    super("the upgrade was refused");
    this.answer = answer;
  }
}

type Headers = Record<string, string | string[] | undefined>;

/** @throws {ApiError} */
async function begin(
  gateway: Gateway,
  kind: Kind,
  { exchange, rest, headers }: { exchange: Exchange; rest: string; headers: Headers },
): Promise<ClientRequest> {
  const { namespace = "", name = "" } = exchange.params;
  const { secure, node, opening } = await proxyTarget(gateway, kind, { namespace, name });
  try {
    const plain = duplexOf(await openOn(gateway, node, { verb: "forward", opening }));
    // As Kubernetes: what a pod's certificate says is not checked.
    const socket = secure ? secured({ socket: plain, rejectUnauthorized: false }) : plain;
    const { url = "", headers: asked } = exchange.request;
    const query = url.includes("?") ? url.slice(url.indexOf("?")) : "";
    const outgoing = send({
      createConnection: () => socket,
      method: exchange.method,
      path: `${rest}${query}`,
      headers: {
        ...headers,
        "x-forwarded-uri": exchange.path,
        // HTTP/2 has it under another name.
        "x-forwarded-host": asked.host ?? String(asked[":authority"] ?? ""),
        "x-forwarded-proto": "https",
      },
    });
    outgoing.on("error", () => undefined); // Who waits for the answer is told.
    return outgoing;
  } catch (error) {
    throw unreachable(error);
  }
}

const answerTo = (outgoing: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });

function unreachable(error: unknown): unknown {
  if (error instanceof ApiError && !(error instanceof NodeRefusal)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `error trying to reach service: ${reason}`;
  return new ApiError("ServiceUnavailable", message, {}, { cause: error });
}

/** The path up to `proxy`, and what follows it. */
function pathOf({ path }: Exchange): { readonly base: string; readonly rest: string } {
  const [, base = path, rest = ""] =
    /^(\/api\/v1\/(?:namespaces\/[^/]+\/)?[^/]+\/[^/]+\/proxy)(\/.*)?$/u.exec(path) ?? [];
  return { base, rest };
}

/** Of one connection alone, or for the gateway alone. */
const ours = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "authorization",
]);

const endToEnd = ({ headers }: IncomingMessage): Headers =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !ours.has(name) && !name.startsWith(":")),
  );

/** A redirect within the server stays behind the proxy. */
function relocated({ headers }: IncomingMessage, base: string): Headers {
  const { location } = headers;
  return location?.startsWith("/") === true ? { location: `${base}${location}` } : {};
}

function headOf(answer: IncomingMessage, own: readonly (readonly [string, string])[]): string {
  const { statusCode = 101, statusMessage = "", rawHeaders } = answer;
  const lines = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && !ours.has(name.toLowerCase())
      ? [`${name}: ${rawHeaders[at + 1] ?? ""}\r\n`]
      : [],
  );
  const { upgrade } = answer.headers;
  if (upgrade !== undefined) lines.push(`Upgrade: ${upgrade}\r\n`);
  lines.push(...own.map(([name, value]) => `${name}: ${value}\r\n`));
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join("")}\r\n`;
}
