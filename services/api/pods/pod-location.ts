import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Gateway } from "../resources/gateway.ts";
import { readObject } from "../resources/read.ts";

/** A container that something is asked of, and the node that runs it. */
export type PodLocation = {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
};

type Named = { readonly name: string };

type Asked = { readonly namespace: string; readonly name: string };

/**
 * The pod's node and the container that is meant: the one named, the pod's default, or its only one.
 *
 * @throws {ApiError} NotFound, BadRequest: no such container, several, or not yet on a node
 */
export async function locate(
  gateway: Gateway,
  kind: Kind,
  { container, ...asked }: Asked & { readonly container: string | undefined },
): Promise<PodLocation> {
  const pod = await readObject(gateway.backendFor(kind), { kind, ...asked }, undefined);
  const chosen = containerOf(pod, container);
  return { ...placeOf(pod), container: chosen };
}

/** The pod's node. @throws {ApiError} NotFound, BadRequest: not yet on a node */
export async function locatePod(
  gateway: Gateway,
  kind: Kind,
  asked: Asked,
): Promise<Omit<PodLocation, "container">> {
  return placeOf(await readObject(gateway.backendFor(kind), { kind, ...asked }, undefined));
}

/** @throws {ApiError} BadRequest */
export function placeOf({ metadata, spec }: AnyObject): Omit<PodLocation, "container"> {
  const { name = "", namespace = "", uid = "" } = metadata;
  const node = spec?.["nodeName"];
  if (typeof node !== "string" || node === "") {
    throw new ApiError("BadRequest", `pod ${name} does not have a host assigned`);
  }
  return { node, namespace, pod: name, uid };
}

/** Whether the pod is on a node. */
export const isPlaced = ({ spec }: AnyObject): boolean => (spec?.["nodeName"] ?? "") !== "";

/** @throws {ApiError} BadRequest: no such container, or one of several must be named */
export function containerOf({ metadata, spec }: AnyObject, wanted: string | undefined): string {
  const name = metadata.name ?? "";
  const named = (field: string) =>
    ((spec?.[field] ?? []) as readonly Named[]).map((one) => one.name); // Parsed as a Pod.
  const [containers, inits] = [named("containers"), named("initContainers")];
  const all = [...inits, ...containers, ...named("ephemeralContainers")];
  const byDefault = metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const chosen = wanted ?? byDefault ?? (containers.length === 1 ? containers[0] : undefined);
  if (chosen === undefined) {
    throw new ApiError(
      "BadRequest",
      `a container name must be specified for pod ${name}, choose one of: [${containers.join(" ")}]${
        inits.length === 0 ? "" : ` or one of the init containers: [${inits.join(" ")}]`
      }`,
    );
  }
  if (!all.includes(chosen)) {
    throw new ApiError("BadRequest", `container ${chosen} is not valid for pod ${name}`);
  }
  return chosen;
}
