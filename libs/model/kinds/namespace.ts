import * as z from "zod";
import { conditionStatus } from "../condition.ts";
import { atomicList, mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { dnsLabel } from "../names.ts";
import { time } from "../time.ts";

const spec = z
  .strictObject({
    finalizers: z
      .array(z.string())
      .optional()
      .meta({ proto: 1, ...atomicList, description: "What must be done before it goes." }),
  })
  .meta({ title: "core.v1.NamespaceSpec" });

const condition = z
  .strictObject({
    type: z.string().meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    lastTransitionTime: time.optional().meta({ proto: 4 }),
    reason: z.string().optional().meta({ proto: 5 }),
    message: z.string().optional().meta({ proto: 6 }),
  })
  .meta({ title: "core.v1.NamespaceCondition" });

const status = z
  .strictObject({
    phase: z.enum(["Active", "Terminating"]).default("Active").meta({ proto: 1 }),
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 2, ...mergeBy("type") }),
  })
  .meta({ title: "core.v1.NamespaceStatus" });

export const namespace = defineKind({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  short: ["ns"],
  namespaced: false,
  description: "A scope for names; deleting it deletes what is in it.",
  name: dnsLabel,
  spec: spec.prefault({}),
  status,
  columns: [{ name: "Status", type: "string", read: (one) => one.status?.phase ?? "Active" }],
});
export type Namespace = ObjectOf<typeof namespace>;
export type NamespaceStatus = z.output<typeof status>;
