import * as z from "zod";
import { mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { webhookFields } from "../webhooks/webhook.ts";
import { webhookFaults } from "../webhooks/webhook-faults.ts";

const webhook = z
  .strictObject({
    ...webhookFields({ objectSelector: 11, matchConditions: 12 }),
    reinvocationPolicy: z
      .enum(["Never", "IfNeeded"])
      .default("Never")
      .meta({ proto: 10, description: "Whether it is asked again when others change the object." }),
  })
  .meta({ title: "admissionregistration.v1.MutatingWebhook" });
export type MutatingWebhook = z.output<typeof webhook>;

export const mutatingWebhookConfiguration = defineKind({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  categories: ["api-extensions"],
  namespaced: false,
  description: "Services that are asked to change what a request writes.",
  fields: {
    webhooks: z
      .array(webhook)
      .optional()
      .meta({ proto: 2, ...mergeBy("name") }),
  },
  validate: ({ webhooks }) => webhookFaults(webhooks),
  columns: [{ name: "Webhooks", type: "integer", read: ({ webhooks = [] }) => webhooks.length }],
});
export type MutatingWebhookConfiguration = ObjectOf<typeof mutatingWebhookConfiguration>;
