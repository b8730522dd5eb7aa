/** The group `metrics.k8s.io`: what is known now of nodes and pods. Nothing of it is stored. */
import * as z from "zod";
import { defineKind, type Kind } from "../../../libs/model/kind.ts";
import { quantity } from "../../../libs/model/quantity.ts";
import { time } from "../../../libs/model/time.ts";

const group = { group: "metrics.k8s.io", version: "v1beta1" } as const;
const usage = z
  .record(z.string(), quantity)
  .meta({ description: "By resource: cpu, and memory as the working set." });

const measured = {
  timestamp: time.meta({ proto: 2, description: "The end of the time that was measured." }),
  window: z.string().meta({ proto: 3, format: "duration", description: "How long that time was." }),
};

export const nodeMetrics = defineKind({
  ...group,
  kind: "NodeMetrics",
  plural: "nodes",
  singular: "",
  namespaced: false,
  description: "What a node uses.",
  fields: { ...measured, usage: usage.meta({ proto: 4 }) },
  columns: [
    { name: "CPU", type: "string", read: (one) => one.usage["cpu"] ?? "" },
    { name: "Memory", type: "string", read: (one) => one.usage["memory"] ?? "" },
    { name: "Window", type: "string", read: (one) => one.window },
  ],
});

export const podMetrics = defineKind({
  ...group,
  kind: "PodMetrics",
  plural: "pods",
  singular: "",
  namespaced: true,
  description: "What a pod's containers use.",
  fields: {
    ...measured,
    containers: z
      .array(
        z
          .strictObject({
            name: z.string().meta({ proto: 1 }),
            usage: usage.meta({ proto: 2 }),
          })
          .meta({ title: "metrics.v1beta1.ContainerMetrics" }),
      )
      .meta({ proto: 4, "x-kubernetes-list-type": "atomic" }),
  },
  columns: [
    {
      name: "CPU",
      type: "string",
      read: (one) => one.containers.map(({ usage }) => usage["cpu"]).join(","),
    },
    {
      name: "Memory",
      type: "string",
      read: (one) => one.containers.map(({ usage }) => usage["memory"]).join(","),
    },
    { name: "Window", type: "string", read: (one) => one.window },
  ],
});

export const metricsKinds: readonly Kind[] = [nodeMetrics, podMetrics];
