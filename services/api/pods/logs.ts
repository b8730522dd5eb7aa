import { StreamBroken } from "../../../libs/bus/bus.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { LogsOpening } from "../../../libs/protocol/node.ts";
import { countOf, flagOf, textOf } from "../http/query.ts";
import type { Reply } from "../http/reply.ts";
import type { Exchange } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";
import { openOn } from "./node-stream.ts";
import { locate } from "./pod-location.ts";

/**
 * A container's log, streamed from its node.
 *
 * @throws {ApiError} NotFound, BadRequest (the node's reason), ServiceUnavailable: the node is silent
 */
export async function podLogs(gateway: Gateway, kind: Kind, exchange: Exchange): Promise<Reply> {
  const { query, params } = exchange;
  const { namespace = "", name = "" } = params;
  const found = await locate(gateway, kind, {
    namespace,
    name,
    container: textOf(query, "container"),
  });
  const { node, ...container } = found;
  const [tailLines, sinceSeconds, limitBytes] = ["tailLines", "sinceSeconds", "limitBytes"].map(
    (one) => countOf(query, one),
  );
  const sinceTime = textOf(query, "sinceTime");
  const opening: LogsOpening = {
    ...container,
    follow: flagOf(query, "follow"),
    previous: flagOf(query, "previous"),
    timestamps: flagOf(query, "timestamps"),
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && sinceSeconds > 0 && { sinceSeconds }),
    ...(sinceTime !== undefined && { sinceTime }),
    ...(limitBytes !== undefined && limitBytes > 0 && { limitBytes }),
  };
  const stream = await openOn(gateway, node, { verb: "logs", opening });
  return {
    type: "stream",
    contentType: "text/plain",
    async run({ write, signal }) {
      const stop = () => stream.abort("the client has gone");
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      try {
        for await (const chunk of stream.readable) await write(chunk);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof StreamBroken)) throw error;
        gateway.log.warn({ err: error, node }, "a log stream broke");
      } finally {
        signal.removeEventListener("abort", stop);
        await stream[Symbol.asyncDispose]();
      }
    },
  };
}
