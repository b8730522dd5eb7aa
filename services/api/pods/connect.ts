/** Connections to what runs, as admission judges them: `kubectl exec` may be denied. */
import type { Kind } from "../../../libs/model/kind.ts";
import type { AdmissionRequest } from "../../../libs/webhooks/request.ts";
import { flagOf } from "../http/query.ts";
import type { Exchange } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";

/** The options that Kubernetes gives a connection; they are all there is of it. */
const optionsKinds = {
  exec: "PodExecOptions",
  attach: "PodAttachOptions",
  portforward: "PodPortForwardOptions",
} as const;
type Verb = keyof typeof optionsKinds;

/**
 * Asks the policies and the webhooks that concern the connection. Nothing of it can be changed.
 *
 * @throws {ApiError} a denial, or that a webhook cannot be asked
 */
export async function admitConnect(
  gateway: Gateway,
  kind: Kind,
  verb: Verb,
  { params, query, user }: Pick<Exchange, "params" | "query" | "user">,
): Promise<void> {
  const { hooks } = gateway.ports;
  if (hooks === undefined || hooks.idle) return;
  const body = { group: "", version: "v1", kind: optionsKinds[verb] };
  const request: AdmissionRequest = {
    operation: "CONNECT",
    kind,
    subresource: verb,
    body,
    namespace: params["namespace"],
    name: params["name"] ?? "",
    user,
    dryRun: false,
    options: undefined,
  };
  const objects = {
    object: { kind: body.kind, apiVersion: body.version, ...optionsIn(verb, query) },
    oldObject: undefined,
  };
  // A connection has no reply that could carry a warning.
  const unheard = () => undefined;
  const concerning = hooks.concerning(request);
  if (concerning?.mutates === true) await concerning.mutate(objects, unheard);
  hooks.check(request, objects, unheard);
  await concerning?.validate(objects, unheard);
}

function optionsIn(verb: Verb, query: URLSearchParams): Readonly<Record<string, unknown>> {
  if (verb === "portforward") {
    const ports = query.getAll("ports").flatMap((one) => one.split(","));
    return ports.length === 0 ? {} : { ports: ports.map(Number) };
  }
  const flags = (["stdin", "stdout", "stderr", "tty"] as const).filter((flag) =>
    flagOf(query, flag),
  );
  const container = query.get("container");
  return {
    ...Object.fromEntries(flags.map((flag) => [flag, true] as const)),
    ...(container !== null && container !== "" && { container }),
    ...(verb === "exec" && { command: query.getAll("command") }),
  };
}
