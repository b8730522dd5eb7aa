/**
 * Nodes that are only written down: made through the API, ready by their status, kept by their Leases.
 * Pods are bound to them and nothing runs, so no agent takes the processors from what is measured; as
 * Kubernetes' scheduler_perf has it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { each } from "../api/gateway.ts";
import type { KubeClient } from "../cluster/kube-client.ts";
import { nodeCapacity, nodeLabels, nodeName } from "./mixes.ts";

const atOnce = 64;
/** Kubernetes gives them 40 s. */
const renewMs = 25_000;
const readyWithinMs = 120_000;
const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

export type KeptNodes = AsyncDisposable & {
  /** Renews every Lease now, so that none is renewed in the next 25 s. */
  renew(): Promise<void>;
};

/** Resolves when pods may be bound to every one. They are kept until disposed. */
export async function keptNodes(
  client: KubeClient,
  count: number,
  capacity: Readonly<Record<string, string>> = nodeCapacity,
): Promise<KeptNodes> {
  const now = () => new Date().toISOString().replace("Z", "000Z");
  await each(count, atOnce, async (nth) => {
    const name = nodeName(nth);
    await client.call("POST", "/api/v1/nodes", { metadata: { name, labels: nodeLabels(nth) } });
    const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: at };
    await client.call("PATCH", `/api/v1/nodes/${name}/status`, {
      status: { capacity, allocatable: capacity, conditions: [ready] },
    });
    await client.call("POST", leases, {
      metadata: { name },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: now() },
    });
  });
  let stopped = false;
  let renewedAt = performance.now();
  const renew = async () => {
    renewedAt = performance.now();
    await each(count, atOnce, async (nth) => {
      await client.call("PATCH", `${leases}/${nodeName(nth)}`, { spec: { renewTime: now() } });
    });
  };
  const over = new AbortController();
  const renewing = (async () => {
    while (!stopped) {
      const leftMs = renewedAt + renewMs - performance.now();
      if (leftMs <= 0) await renew();
      else await sleep(leftMs, undefined, { signal: over.signal }).catch(() => "it is over");
    }
  })();
  await untaintedWithin(client, count, readyWithinMs);
  return {
    renew,
    async [Symbol.asyncDispose]() {
      stopped = true;
      over.abort();
      await renewing;
    },
  };
}

const nodeList = z.object({
  items: z.array(
    z.object({ spec: z.object({ taints: z.array(z.unknown()).default([]) }).prefault({}) }),
  ),
});

async function untaintedWithin(client: KubeClient, count: number, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { items } = nodeList.parse(await client.call("GET", "/api/v1/nodes"));
    if (items.filter(({ spec }) => spec.taints.length === 0).length >= count) return;
    if (performance.now() > deadline) throw new Error("the nodes did not become ready");
    await sleep(200);
  }
}
