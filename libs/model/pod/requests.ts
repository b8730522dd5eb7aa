import type { Container } from "./container.ts";
import type { PodSpec } from "./spec.ts";

/** Where a container limits a resource and does not say what it requests, it requests the limit. */
export function withRequests(spec: PodSpec): PodSpec {
  const { containers, initContainers } = spec;
  return {
    ...spec,
    containers: containers.map(requesting),
    ...(initContainers !== undefined && { initContainers: initContainers.map(requesting) }),
  };
}

function requesting(container: Container): Container {
  const { limits, requests } = container.resources;
  if (limits === undefined) return container;
  return {
    ...container,
    resources: { ...container.resources, requests: { ...limits, ...requests } },
  };
}
