/** Writes of a part of a pod's spec: what else was sent counts for nothing, as in Kubernetes. */
import type { Part } from "../model/kind.ts";
import { pod as podKind, type Pod } from "../model/kinds/pod.ts";
import { ephemeralCauses } from "../model/pod/ephemeral-causes.ts";
import { resizeCauses } from "../model/pod/resize-causes.ts";
import { admitUpdate, type UpdateJudge } from "./admit.ts";
import type { AdmissionContext, Admitted } from "./context.ts";

export type PodPart = Exclude<Part, "status">;

/** @returns undefined when nothing changes @throws {ApiError} Invalid */
export function admitPodPart(
  part: PodPart,
  before: Pod,
  input: unknown,
  context: AdmissionContext,
): Admitted<Pod> | undefined {
  const given = (input as Partial<Pod> | undefined)?.spec; // Judged by the schema, here or before.
  const [spec, judge] = parts[part](before, given);
  return admitUpdate(podKind, before, { ...before, spec }, context, judge);
}

type Taken = readonly [spec: unknown, judge: UpdateJudge<Pod>];

const parts: Readonly<Record<PodPart, (before: Pod, given: Pod["spec"] | undefined) => Taken>> = {
  ephemeralcontainers(before, given) {
    const { ephemeralContainers: _before, ...rest } = before.spec;
    const ephemeralContainers = given?.ephemeralContainers;
    return [{ ...rest, ...(ephemeralContainers && { ephemeralContainers }) }, ephemeralCauses];
  },
  resize({ spec }, given) {
    const containers = sized(spec.containers, given?.containers ?? []);
    const initContainers = sized(spec.initContainers ?? [], given?.initContainers ?? []);
    return [
      { ...spec, containers, ...(initContainers.length > 0 && { initContainers }) },
      resizeCauses,
    ];
  },
};

type Containers = Pod["spec"]["containers"];

/** Containers as they are, in the sizes that are given; other containers are refused as they are. */
function sized(had: Containers, given: Containers): Containers {
  const isSame =
    had.length === given.length && had.every((one, at) => one.name === given[at]?.name);
  if (!isSame) return given;
  return had.map(({ resources: _r, resizePolicy: _p, ...one }, at) => {
    const { resources, resizePolicy } = given[at] ?? {};
    return { ...one, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
  }) as Containers; // What has none of them gets its default.
}
