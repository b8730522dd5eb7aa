import { StreamBroken } from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { textOf } from "../http/query.ts";
import type { Reply } from "../http/reply.ts";
import type { Exchange } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";
import { readObject } from "../resources/read.ts";
import { logOptionsOf } from "./log-options.ts";
import { NodeRefusal, openOn } from "./node-stream.ts";
import { containerOf, isPlaced, placeOf } from "./pod-location.ts";

/**
 * A container's log, streamed from its node; empty for a pod that is on none yet.
 *
 * @throws {ApiError} NotFound, Invalid, BadRequest (no such container, or none that has a log yet),
 *   ServiceUnavailable: the node is silent
 */
export async function podLogs(gateway: Gateway, kind: Kind, exchange: Exchange): Promise<Reply> {
  const { query, params } = exchange;
  const { namespace = "", name = "" } = params;
  const options = logOptionsOf(query, name);
  const pod = await readObject(gateway.backendFor(kind), { kind, namespace, name }, undefined);
  const container = containerOf(pod, textOf(query, "container"));
  if (!isPlaced(pod)) return { type: "body", code: 200, contentType: "text/plain", body: "" };
  const { node, ...found } = placeOf(pod);
  const opening = { ...found, container, ...options };
  const stream = await openOn(gateway, node, { verb: "logs", opening }).catch((error: unknown) => {
    if (!(error instanceof NodeRefusal) || options.previous) throw error;
    throw new ApiError(
      "BadRequest",
      whyNone(pod, container) ?? error.message,
      {},
      { cause: error },
    );
  });
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

/** Why a container has no log yet, in the kubelet's words. */
export function whyNone({ metadata, status }: AnyObject, container: string): string | undefined {
  const lists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
  const statuses = lists.flatMap((list) => (status?.[list] ?? []) as readonly Status[]); // Parsed as a Pod.
  const reason = statuses.find(({ name }) => name === container)?.state?.waiting?.reason;
  if (reason === undefined) return undefined;
  const why = { ErrImagePull: "image can't be pulled", ImagePullBackOff: triesInVain }[reason];
  return `container "${container}" in pod "${metadata.name}" is waiting to start: ${why ?? reason}`;
}

const triesInVain = "trying and failing to pull image";

type Status = {
  readonly name: string;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
};
