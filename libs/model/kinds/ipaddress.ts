import { isIP } from "node:net";
import * as z from "zod";
import { defineKind, type ObjectOf } from "../kind.ts";

const parentRef = z
  .strictObject({
    group: z.string().optional().meta({ proto: 1 }),
    resource: z.string().min(1, "Required value").meta({ proto: 2 }),
    namespace: z.string().optional().meta({ proto: 3 }),
    name: z.string().min(1, "Required value").meta({ proto: 4 }),
  })
  .meta({ title: "networking.v1.ParentReference" });

const spec = z
  .strictObject({ parentRef: parentRef.meta({ proto: 1, description: "What has the address." }) })
  .meta({ title: "networking.v1.IPAddressSpec" });

export const ipAddress = defineKind({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  short: ["ip"],
  namespaced: false,
  description: "An address that a Service has; named as the address. It comes and goes with that.",
  name: z.string().refine((name) => isIP(name) !== 0, {
    error: ({ input }) => `Invalid value: ${JSON.stringify(input)}: must be a valid IP address`,
  }),
  spec,
  columns: [
    {
      name: "ParentRef",
      type: "string",
      read: ({ spec: { parentRef: of } }) =>
        `${[of.resource, ...(of.group ? [of.group] : [])].join(".")}/${of.namespace ? `${of.namespace}/` : ""}${of.name}`,
    },
  ],
});
export type IpAddress = ObjectOf<typeof ipAddress>;
