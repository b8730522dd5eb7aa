import { type Taint, tolerates } from "../../../libs/model/pod/placement.ts";
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Predicate, Score } from "./predicate.ts";

/** Every taint that keeps pods away is tolerated. */
export const taints: Predicate = {
  name: "TaintToleration",
  fixed: true,
  check: (claim, room) => isTolerated(claim, room),
  explain(claim, room) {
    const taint = firstUntolerated(claim, room);
    return taint === undefined
      ? []
      : [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`];
  },
};

const unschedulableTaint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** The node is not cordoned, nor ending, or the pod says that it does not mind. */
export const schedulable: Predicate = {
  name: "NodeUnschedulable",
  fixed: true,
  check: ({ tolerations }, { cordoned }) =>
    !cordoned || tolerations.some((one) => tolerates(one, unschedulableTaint)),
  explain: () => ["node(s) were unschedulable"],
};

const notReadyTaint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** The node is ready; its taint follows a moment later. */
export const ready: Predicate = {
  name: "NodeReady",
  fixed: true,
  check: ({ tolerations }, room) =>
    room.ready || tolerations.some((one) => tolerates(one, notReadyTaint)),
  explain: () => [`node(s) had untolerated taint {${notReadyTaint.key}: }`],
};

/** Fewer taints that would rather keep the pod away. */
export const preferUntainted: Score = {
  name: "TaintToleration",
  weight: 3,
  score({ tolerations }, room) {
    const avoided = room.taints.filter(
      (taint) =>
        taint.effect === "PreferNoSchedule" && !tolerations.some((one) => tolerates(one, taint)),
    );
    return 100 / (1 + avoided.length);
  },
};

export const isTolerated = (claim: Claim, room: Room): boolean =>
  firstUntolerated(claim, room) === undefined;

const keepsAway = ({ effect }: Taint) => effect === "NoSchedule" || effect === "NoExecute";

function firstUntolerated({ tolerations }: Claim, room: Room): Taint | undefined {
  return room.taints.find(
    (taint) => keepsAway(taint) && !tolerations.some((one) => tolerates(one, taint)),
  );
}
