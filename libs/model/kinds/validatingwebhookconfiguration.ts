import * as z from "zod";
import { mergeBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { webhookFields } from "../webhooks/webhook.ts";
import { webhookFaults } from "../webhooks/webhook-faults.ts";

const webhook = z
  .strictObject({
    ...webhookFields({ objectSelector: 10, matchConditions: 11 }),
  })
  .meta({ title: "admissionregistration.v1.ValidatingWebhook" });
export type ValidatingWebhook = z.output<typeof webhook>;

export const validatingWebhookConfiguration = defineKind({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  categories: ["api-extensions"],
  namespaced: false,
  description: "Services that are asked whether a request may pass.",
  fields: {
    webhooks: z
      .array(webhook)
      .optional()
      .meta({ proto: 2, ...mergeBy("name") }),
  },
  validate: ({ webhooks }) => webhookFaults(webhooks),
  columns: [{ name: "Webhooks", type: "integer", read: ({ webhooks = [] }) => webhooks.length }],
});
export type ValidatingWebhookConfiguration = ObjectOf<typeof validatingWebhookConfiguration>;
