import { dequal } from "dequal";
import * as z from "zod";
import { atomicList, stringMap } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { dnsLabel } from "../names.ts";
import { toleration } from "../pod/scheduling.ts";
import { resourceList } from "../quantity.ts";

const scheduling = z
  .strictObject({
    nodeSelector: stringMap.optional().meta({ proto: 1, "x-kubernetes-map-type": "atomic" }),
    tolerations: z
      .array(toleration)
      .optional()
      .meta({ proto: 2, ...atomicList }),
  })
  .meta({ title: "node.v1.Scheduling" });

export const runtimeClass = defineKind({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  namespaced: false,
  description: "What runs the containers of pods that name it.",
  fields: {
    handler: dnsLabel.meta({ proto: 2, description: "The name of a runtime of the node." }),
    overhead: z
      .strictObject({ podFixed: resourceList.optional().meta({ proto: 1 }) })
      .meta({ title: "node.v1.Overhead" })
      .optional()
      .meta({ proto: 3, description: "What a pod needs beside its containers." }),
    scheduling: scheduling
      .optional()
      .meta({ proto: 4, description: "The nodes that have the runtime." }),
  },
  validateUpdate: (before, after) =>
    dequal(before.handler, after.handler)
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "handler",
            message: `Invalid value: ${JSON.stringify(after.handler)}: field is immutable`,
          },
        ],
  columns: [{ name: "Handler", type: "string", read: ({ handler }) => handler }],
});
export type RuntimeClass = ObjectOf<typeof runtimeClass>;
