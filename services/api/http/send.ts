/** Replies on the wire. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { prettied, rendered } from "./render.ts";
import type { Out, Reply } from "./reply.ts";

/** Smaller ones are sent faster than they are made smaller; Kubernetes' own bound. */
const gzipMinBytes = 128 * 1024;
/** Kubernetes' too: most of the gain at a fraction of the time. */
const gzipLevel = 1;
const zipped = promisify(gzip);

export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Exclude<Reply, { type: "stream" }>,
  { pretty }: { readonly pretty: boolean },
): Promise<void> {
  const plain = reply.type === "value" ? rendered(reply, request.headers.accept) : reply;
  const { code, headers, contentType, body: given } = pretty ? prettied(plain) : plain;
  const body = typeof given === "string" ? Buffer.from(given) : given;
  const zip = body.byteLength > gzipMinBytes && takesGzip(request.headers["accept-encoding"]);
  const sent = zip ? await zipped(body, { level: gzipLevel }) : body;
  if (response.destroyed) return;
  response.writeHead(code, {
    "Cache-Control": "no-cache, private",
    ...headers,
    ...(zip && { "Content-Encoding": "gzip", Vary: "Accept-Encoding" }),
    "Content-Type": contentType,
    "Content-Length": sent.byteLength,
  });
  response.end(sent);
}

const takesGzip = (header: string | string[] | undefined): boolean =>
  String(header ?? "")
    .split(",")
    .some((coding) => coding.trim().split(";")[0] === "gzip");

export async function stream(
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
