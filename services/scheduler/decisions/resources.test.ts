/** @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled */
import { describe } from "vitest";
import { asks, expectVerdicts } from "./place-fixture.ts";

const container = (requests: Record<string, string>) => ({ resources: { requests } });
const sidecar = (requests: Record<string, string>) => ({
  ...container(requests),
  restartPolicy: "Always",
});
const gpu = "example.com/gpu";
const disk = "ephemeral-storage";

describe("what a pod requests", () => {
  expectVerdicts([
    {
      name: "nothing, of a node with nothing",
      spec: asks({}),
      node: { allocatable: { cpu: "0" } },
    },
    { name: "all there is", spec: asks({ cpu: "2", memory: "4Gi" }) },
    { name: "too much CPU", spec: asks({ cpu: "2001m" }), why: "Insufficient cpu" },
    { name: "too much memory", spec: asks({ memory: "4097Mi" }), why: "Insufficient memory" },
    {
      name: "too much of two",
      spec: asks({ cpu: "3", memory: "5Gi" }),
      why: "Insufficient cpu, 1 Insufficient memory",
    },
    {
      name: "what is left beside another",
      spec: asks({ cpu: "1" }),
      taken: asks({ cpu: "1" }),
    },
    {
      name: "more than is left",
      spec: asks({ cpu: "1500m" }),
      taken: asks({ cpu: "1" }),
      why: "Insufficient cpu",
    },
    {
      name: "the same in another unit",
      spec: asks({ memory: "4294967296" }),
    },
    {
      name: "an extended resource that the node has",
      spec: asks({ [gpu]: "2" }),
      node: { allocatable: { [gpu]: "2" } },
    },
    {
      name: "an extended resource that the node has not",
      spec: asks({ [gpu]: "1" }),
      why: `Insufficient ${gpu}`,
    },
    {
      name: "an extended resource that another has",
      spec: asks({ [gpu]: "2" }),
      node: { allocatable: { [gpu]: "2" } },
      taken: asks({ [gpu]: "1" }),
      why: `Insufficient ${gpu}`,
    },
    { name: "none of an extended resource", spec: asks({ [gpu]: "0" }) },
    {
      name: "huge pages",
      spec: asks({ "hugepages-2Mi": "4Mi" }),
      node: { allocatable: { "hugepages-2Mi": "2Mi" } },
      why: "Insufficient hugepages-2Mi",
    },
    {
      name: "local storage that the node has",
      spec: asks({ [disk]: "1Gi" }),
      node: { allocatable: { [disk]: "2Gi" } },
      taken: asks({ [disk]: "1Gi" }),
    },
    {
      name: "more local storage than is left",
      spec: asks({ [disk]: "1Gi" }),
      node: { allocatable: { [disk]: "2Gi" } },
      taken: asks({ [disk]: "1025Mi" }),
      why: `Insufficient ${disk}`,
    },
    {
      name: "a place among the pods",
      spec: asks({}),
      node: { allocatable: { pods: "1" } },
      taken: asks({}),
      why: "Too many pods",
    },
    {
      name: "of all containers together",
      spec: { containers: [container({ cpu: "1500m" }), container({ cpu: "501m" })] },
      why: "Insufficient cpu",
    },
    {
      name: "of the largest init container",
      spec: { containers: [{}], initContainers: [container({ cpu: "3" })] },
      why: "Insufficient cpu",
    },
    {
      name: "of init containers, one after another",
      spec: {
        containers: [container({ cpu: "1" })],
        initContainers: [container({ cpu: "2" }), container({ cpu: "2" })],
      },
    },
    {
      name: "of sidecars beside the containers",
      spec: { ...asks({ cpu: "1500m" }), initContainers: [sidecar({ cpu: "600m" })] },
      why: "Insufficient cpu",
    },
    {
      name: "of an init container beside a sidecar that began before it",
      spec: {
        containers: [{}],
        initContainers: [sidecar({ cpu: "1" }), container({ cpu: "1500m" })],
      },
      why: "Insufficient cpu",
    },
    {
      name: "of the sandbox beside all",
      spec: { ...asks({ cpu: "2" }), overhead: { cpu: "1m" } },
      why: "Insufficient cpu",
    },
    {
      name: "as limits is no request",
      spec: { containers: [{ resources: { limits: { cpu: "9" } } as object }] },
    },
  ]);
});
