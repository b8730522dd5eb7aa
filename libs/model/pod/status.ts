import * as z from "zod";
import { conditionStatus } from "../condition.ts";
import { atomicList, count, int32, int64, mapBy, mergeBy } from "../field.ts";
import { resourceList } from "../quantity.ts";
import { time } from "../time.ts";
import { resourceRequirements } from "./container.ts";
import { resourceClaimStatuses } from "./resource-claims.ts";

const containerState = z
  .strictObject({
    waiting: z
      .strictObject({
        reason: z.string().optional().meta({ proto: 1 }),
        message: z.string().optional().meta({ proto: 2 }),
      })
      .meta({ title: "core.v1.ContainerStateWaiting" })
      .optional()
      .meta({ proto: 1 }),
    running: z
      .strictObject({ startedAt: time.optional().meta({ proto: 1 }) })
      .meta({ title: "core.v1.ContainerStateRunning" })
      .optional()
      .meta({ proto: 2 }),
    terminated: z
      .strictObject({
        exitCode: int32.default(0).meta({ proto: 1 }),
        signal: int32.optional().meta({ proto: 2 }),
        reason: z.string().optional().meta({ proto: 3 }),
        message: z.string().optional().meta({ proto: 4 }),
        startedAt: time.optional().meta({ proto: 5 }),
        finishedAt: time.optional().meta({ proto: 6 }),
        containerID: z.string().optional().meta({ proto: 7 }),
      })
      .meta({ title: "core.v1.ContainerStateTerminated" })
      .optional()
      .meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.ContainerState" });
export type ContainerState = z.output<typeof containerState>;

const containerUser = z
  .strictObject({
    linux: z
      .strictObject({
        uid: int64.meta({ proto: 1 }),
        gid: int64.meta({ proto: 2 }),
        supplementalGroups: z
          .array(int64)
          .optional()
          .meta({ proto: 3, ...atomicList }),
      })
      .meta({ title: "core.v1.LinuxContainerUser" })
      .optional()
      .meta({ proto: 1 }),
  })
  .meta({ title: "core.v1.ContainerUser" });

const resourceStatus = z
  .strictObject({
    name: z.string().meta({ proto: 1 }),
    resources: z
      .array(
        z
          .strictObject({
            resourceID: z.string().meta({ proto: 1 }),
            health: z.string().optional().meta({ proto: 2 }),
            message: z.string().optional().meta({ proto: 6 }),
          })
          .meta({ title: "core.v1.ResourceHealth" }),
      )
      .optional()
      .meta({ proto: 2, ...mapBy("resourceID") }),
  })
  .meta({ title: "core.v1.ResourceStatus" });

export const containerStatus = z
  .strictObject({
    name: z.string().meta({ proto: 1 }),
    state: containerState.prefault({}).meta({ proto: 2 }),
    lastState: containerState.prefault({}).meta({ proto: 3 }),
    ready: z.boolean().default(false).meta({ proto: 4 }),
    restartCount: count.default(0).meta({ proto: 5 }),
    image: z.string().default("").meta({ proto: 6 }),
    imageID: z.string().default("").meta({ proto: 7 }),
    containerID: z.string().optional().meta({ proto: 8 }),
    started: z.boolean().optional().meta({ proto: 9 }),
    allocatedResources: resourceList.optional().meta({ proto: 10 }),
    resources: resourceRequirements.optional().meta({ proto: 11 }),
    volumeMounts: z
      .array(
        z
          .strictObject({
            name: z.string().meta({ proto: 1 }),
            mountPath: z.string().meta({ proto: 2 }),
            readOnly: z.boolean().optional().meta({ proto: 3 }),
            recursiveReadOnly: z.string().optional().meta({ proto: 4 }),
            volumeStatus: z
              .strictObject({
                image: z
                  .strictObject({ imageRef: z.string().meta({ proto: 1 }) })
                  .meta({ title: "core.v1.ImageVolumeStatus" })
                  .optional()
                  .meta({ proto: 1 }),
              })
              .meta({ title: "core.v1.VolumeStatus" })
              .optional()
              .meta({ proto: 5 }),
          })
          .meta({ title: "core.v1.VolumeMountStatus" }),
      )
      .optional()
      .meta({ proto: 12, ...mergeBy("mountPath") }),
    user: containerUser.optional().meta({ proto: 13 }),
    allocatedResourcesStatus: z
      .array(resourceStatus)
      .optional()
      .meta({ proto: 14, ...mergeBy("name") }),
    stopSignal: z.string().optional().meta({ proto: 15 }),
  })
  .meta({ title: "core.v1.ContainerStatus" });
export type ContainerStatus = z.output<typeof containerStatus>;

const podCondition = z
  .strictObject({
    type: z.string().min(1).meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    observedGeneration: int64.optional().meta({ proto: 7 }),
    lastProbeTime: time.optional().meta({ proto: 3 }),
    lastTransitionTime: time.optional().meta({ proto: 4 }),
    reason: z.string().optional().meta({ proto: 5 }),
    message: z.string().optional().meta({ proto: 6 }),
  })
  .meta({ title: "core.v1.PodCondition" });

const phase = z.enum(["Pending", "Running", "Succeeded", "Failed", "Unknown"]);

const statuses = z.array(containerStatus).optional();
const address = (title: string) =>
  z.strictObject({ ip: z.string().meta({ proto: 1 }) }).meta({ title });

export const podStatus = z
  .strictObject({
    observedGeneration: int64.optional().meta({ proto: 17 }),
    phase: phase.default("Pending").meta({ proto: 1 }),
    conditions: z
      .array(podCondition)
      .optional()
      .meta({ proto: 2, ...mergeBy("type") }),
    message: z.string().optional().meta({ proto: 3 }),
    reason: z.string().optional().meta({ proto: 4, description: "Such as Evicted." }),
    nominatedNodeName: z.string().optional().meta({ proto: 11 }),
    hostIP: z.string().optional().meta({ proto: 5 }),
    hostIPs: z.array(address("core.v1.HostIP")).optional().meta({
      proto: 16,
      "x-kubernetes-list-type": "atomic",
      "x-kubernetes-patch-merge-key": "ip",
      "x-kubernetes-patch-strategy": "merge",
    }),
    podIP: z.string().optional().meta({ proto: 6 }),
    podIPs: z
      .array(address("core.v1.PodIP"))
      .optional()
      .meta({ proto: 12, ...mergeBy("ip") }),
    startTime: time.optional().meta({ proto: 7 }),
    initContainerStatuses: statuses.meta({ proto: 10, ...atomicList }),
    containerStatuses: statuses.meta({ proto: 8, ...atomicList }),
    qosClass: z.enum(["Guaranteed", "Burstable", "BestEffort"]).optional().meta({ proto: 9 }),
    ephemeralContainerStatuses: statuses.meta({ proto: 13, ...atomicList }),
    resize: z.string().optional().meta({ proto: 14 }),
    allocatedResources: resourceList.optional().meta({ proto: 19 }),
    resources: resourceRequirements.optional().meta({ proto: 20 }),
    ...resourceClaimStatuses,
  })
  .meta({ title: "core.v1.PodStatus" });
export type PodStatus = z.output<typeof podStatus>;
