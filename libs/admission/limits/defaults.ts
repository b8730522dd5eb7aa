import type { LimitRange } from "../../model/kinds/limitrange.ts";
import type { Container } from "../../model/pod/container.ts";
import type { ResourceList } from "../../model/quantity.ts";

/** Says what a pod was given that it did not ask for. */
export const limitRangerAnnotation = "kubernetes.io/limit-ranger";

/** What of a pod the limits of its namespace fill in. */
export type Limited = {
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  /** Of the annotation; undefined when nothing was filled in. */
  readonly note: string | undefined;
};

/**
 * Containers that do not say what they request or are limited to, with what the LimitRange has for
 * that; what they say stays.
 *
 * @see https://kubernetes.io/docs/concepts/policy/limit-range/
 */
export function withLimitDefaults(
  { spec }: Pick<LimitRange, "spec">,
  containers: readonly Container[],
  initContainers: readonly Container[],
): Limited {
  const own = spec.limits.filter(({ type }) => type === "Container");
  const limits = Object.assign({}, ...own.map((one) => one.default)) as ResourceList; // Of such lists.
  const requests = Object.assign({}, ...own.map((one) => one.defaultRequest)) as ResourceList; // As above.
  const notes: string[] = [];
  const filled = (container: Container, what: string): Container => {
    const { resources } = container;
    const missing = {
      requests: absentIn(resources.requests, requests),
      limits: absentIn(resources.limits, limits),
    };
    for (const [list, word] of [
      ["requests", "request"],
      ["limits", "limit"],
    ] as const) {
      const names = Object.keys(missing[list]).toSorted();
      if (names.length > 0) notes.push(`${names.join(", ")} ${word} for ${what} ${container.name}`);
    }
    return {
      ...container,
      resources: {
        ...resources,
        ...withList("requests", { ...resources.requests, ...missing.requests }),
        ...withList("limits", { ...resources.limits, ...missing.limits }),
      },
    };
  };
  const [all, first] = [
    containers.map((one) => filled(one, "container")),
    initContainers.map((one) => filled(one, "init container")),
  ];
  const note = notes.length === 0 ? undefined : `LimitRanger plugin set: ${notes.join("; ")}`;
  return { containers: all, initContainers: first, note };
}

const absentIn = (list: ResourceList = {}, defaults: ResourceList): ResourceList =>
  Object.fromEntries(Object.entries(defaults).filter(([name]) => list[name] === undefined));

const withList = (name: "requests" | "limits", list: ResourceList) =>
  Object.keys(list).length === 0 ? {} : { [name]: list };
