/** What nodes do to pods, in tests: they run them, lose them and report it. */
import { assignKey } from "../../libs/cluster/key.ts";
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { timeOf } from "../../libs/model/time.ts";
import type { EpochMs } from "../../libs/telemetry/clock.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";

export type Fate = "ready" | "unready" | "failed" | "gone";

/** A pod as its node would report it. What is not bound yet is bound to `node`. */
export function podBecomes(
  cluster: SimulatedCluster,
  one: Pod,
  fate: Fate,
  now: EpochMs,
  node = "n1",
): void {
  const { name, namespace, resourceVersion } = one.metadata;
  const home = one.spec.nodeName ?? node;
  if (fate === "gone") {
    const assignment = assignKey(home, namespace, name);
    const held = cluster.view.raw.get(assignment);
    const last = new Uint8Array();
    cluster.commit([
      { op: "delete", key: `pods.${namespace}.${name}`, expect: Number(resourceVersion), last },
      { op: "delete", key: assignment, expect: held?.revision ?? "absent", last },
    ]);
    return;
  }
  const ready = {
    type: "Ready",
    status: fate === "ready" ? "True" : "False",
    lastTransitionTime: timeOf(now),
  };
  cluster.put(pod, {
    ...one,
    spec: { ...one.spec, nodeName: home },
    status: {
      ...one.status,
      phase: fate === "failed" ? "Failed" : "Running",
      conditions: [ready],
    } as Pod["status"],
  });
}
