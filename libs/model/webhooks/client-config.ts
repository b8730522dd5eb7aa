import * as z from "zod";
import { bytes, int32 } from "../field.ts";

/** How a webhook is called; each API group names the messages its own. */
export function webhookClientConfig(group: "admissionregistration" | "apiextensions") {
  const service = z
    .strictObject({
      namespace: z.string().meta({ proto: 1 }),
      name: z.string().meta({ proto: 2 }),
      path: z.string().optional().meta({ proto: 3 }),
      port: int32.default(443).meta({ proto: 4 }),
    })
    .meta({ title: `${group}.v1.ServiceReference` });
  return z
    .strictObject({
      url: z.string().optional().meta({ proto: 3, description: "https://…; or a Service." }),
      service: service.optional().meta({ proto: 1 }),
      caBundle: bytes.optional().meta({
        proto: 2,
        description: "PEM of the CAs that vouch for it; the system's if absent.",
      }),
    })
    .meta({ title: `${group}.v1.WebhookClientConfig` });
}
export type WebhookClientConfig = z.output<ReturnType<typeof webhookClientConfig>>;
