/** What `pods/<…>/proxy` and `services/<…>/proxy` lead to. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { type EndpointSlice, endpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import type { Service } from "../../../libs/model/kinds/service.ts";
import type { ForwardOpening } from "../../../libs/protocol/node.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import type { Gateway } from "../resources/gateway.ts";
import { readObject } from "../resources/read.ts";
import { placeOf } from "./pod-location.ts";

export type ProxyTarget = {
  readonly secure: boolean;
  readonly node: string;
  readonly opening: ForwardOpening;
};

type Named = { readonly secure: boolean; readonly name: string; readonly port: string };

/** `name`, `name:port` or `scheme:name:port`. @throws {ApiError} BadRequest */
export function nameIn(text: string, kind: Pick<Kind, "plural">): Named {
  const parts = text.split(":");
  const [scheme = "", name = "", port = ""] =
    parts.length === 3 ? parts : ["", parts[0] ?? "", parts[1] ?? ""];
  if (parts.length <= 3 && ["", "http", "https"].includes(scheme) && name !== "") {
    return { secure: scheme === "https", name, port };
  }
  const what = kind.plural.slice(0, -1);
  throw new ApiError("BadRequest", `invalid ${what} request ${JSON.stringify(text.slice(0, 300))}`);
}

/** @throws {ApiError} NotFound, BadRequest, ServiceUnavailable: nobody is behind it */
export async function proxyTarget(
  gateway: Gateway,
  kind: Kind,
  { namespace, name: text }: { readonly namespace: string; readonly name: string },
): Promise<ProxyTarget> {
  const { secure, name, port } = nameIn(text, kind);
  const object = await readObject(gateway.backendFor(kind), { kind, namespace, name }, undefined);
  if (kind.kind === "Pod") {
    const { node, ...pod } = placeOf(object);
    const opening = { ...pod, port: podPort(object, port), to: "address" } as const;
    return { secure, node, opening };
  }
  const { view } = gateway.backendFor(endpointSlice);
  const selector = { matchLabels: { [serviceLabel]: name } };
  const slices = view.list(endpointSlice, { namespace, selector });
  const service = object as unknown as Service; // It was stored as one.
  const { node, ...opening } = endpointOf(service, { port, slices, random: gateway.ports.random });
  return { secure, node, opening };
}

const serviceLabel = "kubernetes.io/service-name";

/** @throws {ApiError} BadRequest for what is no port */
function podPort({ metadata, spec }: AnyObject, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  if (text !== "") {
    throw new ApiError("BadRequest", `invalid pod request "${metadata.name}:${text.slice(0, 20)}"`);
  }
  const containers = (spec?.["containers"] ?? []) as readonly {
    readonly ports?: readonly { readonly containerPort: number }[];
  }[]; // Parsed as a Pod.
  return containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort ?? 80;
}

/** A pod that is ready behind a port of the Service, by its name or number. */
export function endpointOf(
  { metadata, spec }: Pick<Service, "metadata" | "spec">,
  {
    port: text,
    slices,
    random,
  }: {
    readonly port: string;
    readonly slices: readonly EndpointSlice[];
    readonly random: Pick<Random, "next">;
  },
): ForwardOpening & { readonly node: string } {
  const ports = spec.ports ?? [];
  const isNumber = /^\d+$/u.test(text);
  const meant = isNumber
    ? ports.find(({ port }) => port === Number(text))
    : text === ""
      ? ports[0]
      : ports.find(({ name }) => name === text);
  if (meant === undefined && isNumber) {
    const told = `no service port ${text} found for service "${metadata.name}"`;
    throw new ApiError("ServiceUnavailable", told);
  }
  const all = slices.flatMap(({ endpoints, ports: served = [] }) =>
    served
      .filter(({ name, port }) => name === (meant?.name ?? "") && port !== undefined)
      .flatMap(({ port = 0 }) =>
        endpoints.flatMap(({ conditions, nodeName: node, targetRef }) =>
          conditions.ready === false || node === undefined || targetRef?.kind !== "Pod"
            ? []
            : [{ node, port, pod: targetRef.name ?? "", uid: targetRef.uid ?? "" }],
        ),
      ),
  );
  const chosen = all[Math.floor(random.next() * all.length)];
  if (meant === undefined || chosen === undefined) {
    const told = `no endpoints available for service "${metadata.name}"`;
    throw new ApiError("ServiceUnavailable", told);
  }
  return { ...chosen, namespace: metadata.namespace, to: "address" };
}
