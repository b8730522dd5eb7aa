import { defineKind, type ObjectOf } from "../kind.ts";
import { readyText, restartsText, statusText } from "../pod/columns.ts";
import { deletionCostCauses } from "../pod/deletion-cost.ts";
import { podSpec } from "../pod/spec.ts";
import { podStatus } from "../pod/status.ts";
import { podUpdateCauses } from "../pod/validate-update.ts";
import { withRequests } from "../pod/requests.ts";

/** A pod's own spec: what a template leaves open is filled in. */
const spec = podSpec.overwrite((one) => ({
  ...withRequests(one),
  enableServiceLinks: one.enableServiceLinks ?? true,
}));

export const pod = defineKind({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  short: ["po"],
  categories: ["all"],
  namespaced: true,
  description: "Containers that run together on one node.",
  spec,
  status: podStatus,
  parts: ["ephemeralcontainers", "resize"],
  validate: ({ metadata }) => deletionCostCauses(metadata),
  validateUpdate: podUpdateCauses,
  columns: [
    { name: "Ready", type: "string", read: readyText },
    { name: "Status", type: "string", read: statusText },
    { name: "Restarts", type: "string", read: restartsText },
    {
      name: "IP",
      type: "string",
      priority: 1,
      read: (one) => one.status?.podIPs?.[0]?.ip ?? one.status?.podIP ?? "<none>",
    },
    { name: "Node", type: "string", priority: 1, read: (one) => one.spec.nodeName ?? "<none>" },
    {
      name: "Nominated Node",
      type: "string",
      priority: 1,
      read: (one) => one.status?.nominatedNodeName ?? "<none>",
    },
    {
      name: "Readiness Gates",
      type: "string",
      priority: 1,
      read: ({ spec: { readinessGates = [] }, status }) => {
        if (readinessGates.length === 0) return "<none>";
        const passed = readinessGates.filter(({ conditionType }) =>
          status?.conditions?.some(
            ({ type, status: is }) => type === conditionType && is === "True",
          ),
        );
        return `${passed.length}/${readinessGates.length}`;
      },
    },
  ],
});
export type Pod = ObjectOf<typeof pod>;
