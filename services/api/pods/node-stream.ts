import {
  type ByteStream,
  NoResponders,
  RemoteFailure,
  RequestTimeout,
} from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { ExecOpening, ForwardOpening, LogsOpening } from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import type { Gateway } from "../resources/gateway.ts";

type Opening =
  | { readonly verb: "logs"; readonly opening: LogsOpening }
  | { readonly verb: "exec"; readonly opening: ExecOpening }
  | { readonly verb: "forward"; readonly opening: ForwardOpening };

/** The node refused; `message` is its reason. */
export class NodeRefusal extends ApiError {}

/**
 * A stream to a node's agent.
 *
 * @throws {NodeRefusal} BadRequest, with what the node says
 * @throws {ApiError} ServiceUnavailable when it says nothing
 */
export async function openOn(
  { bus }: Pick<Gateway, "bus">,
  node: string,
  { verb, opening }: Opening,
): Promise<ByteStream> {
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(opening));
    return await bus.open(nodeSubject(node, verb), bytes, { timeoutMs: openMaxMs[verb] });
  } catch (error) {
    if (error instanceof RemoteFailure) {
      throw new NodeRefusal("BadRequest", error.message, {}, { cause: error });
    }
    if (error instanceof NoResponders || error instanceof RequestTimeout) {
      const message = `node ${node} does not answer`;
      throw new ApiError("ServiceUnavailable", message, { retryAfterSeconds: 1 }, { cause: error });
    }
    throw error;
  }
}

/** A node answers within a second that it is there; dialling may take longer. */
const openMaxMs = { logs: 5_000, exec: 5_000, forward: 15_000 } as const;
