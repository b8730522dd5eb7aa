/** A Deployment and its Service, whose update takes its time, so that there is time to disturb it. */
import { setTimeout as sleep } from "node:timers/promises";
import { deployment } from "../libs/model/kinds/deployment.ts";
import type { Random } from "../libs/telemetry/random.ts";
import type { Store } from "../libs/store/store.ts";
import { eventually, type TestCluster } from "./cluster.ts";
import type { Promised } from "./pod-census.ts";
import { recordOf } from "./recorded-pods.ts";

/** One pod after the other, each ready for a while before the next: five steps of a second or more. */
export const promised: Promised = { replicas: 5, surge: 1, unavailable: 0, minReadySeconds: 2 };
/** An update takes longer than that on any machine. */
const disturbedMs = 4_000;

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: ${promised.replicas}
  minReadySeconds: ${promised.minReadySeconds}
  strategy: { rollingUpdate: { maxSurge: ${promised.surge}, maxUnavailable: ${promised.unavailable} } }
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      # A slow machine's agent may be away for a while: its pods are not to be replaced for that.
      tolerations:
        - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300 }
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 300 }
      containers:
        - name: web
          image: berth/hello:v1
          # Patient: a busy machine makes no pod unready.
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1, timeoutSeconds: 10 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;

export type RollingApp = {
  kubectl(...args: readonly string[]): Promise<string>;
  /** Begins the update; resolves when it is acknowledged. */
  update(version: "v1" | "v2"): Promise<void>;
  /** Resolves when the update is complete, and no pod of another version is left. */
  updated(version: "v1" | "v2"): Promise<void>;
  /** When the record first shows the newest update complete; ms since the Unix epoch. */
  completedAtMs(store: Store): Promise<number>;
  /** One request to the Service, on a connection of its own; the version that answered. */
  answer(): Promise<string>;
};

/** Deploys it into a namespace of its own; resolves once it is available. */
export async function rollingApp(cluster: TestCluster, namespace: string): Promise<RollingApp> {
  const kubectl = (...args: readonly string[]) => cluster.kubectl(["-n", namespace, ...args]);
  const rolledOut = () => kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  await cluster.kubectl(["create", "namespace", namespace]);
  await cluster.kubectl(["-n", namespace, "apply", "-f", "-"], manifest);
  await eventually("the app is available", rolledOut);
  const port = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}");
  return {
    kubectl,
    async update(version) {
      await kubectl("set", "image", "deployment/web", `web=berth/hello:${version}`);
    },
    async updated(version) {
      await eventually("the update is complete", rolledOut, 120_000);
      await eventually(`only ${version} is left`, async () => {
        const path = "jsonpath={.items[*].spec.containers[*].image}";
        const images = (await kubectl("get", "pods", "-o", path)).split(" ");
        if (images.some((image) => image !== `berth/hello:${version}`)) throw new Error("not yet");
      });
    },
    async completedAtMs(store) {
      const record = await recordOf(store, deployment, namespace, "web");
      const seen = record.map(({ atMs, value }) => ({ atMs, ...deployment.schema.parse(value) }));
      const newest = seen.at(-1)?.metadata.generation;
      const complete = seen.find(
        ({ metadata, status }) =>
          metadata.generation === newest &&
          status?.observedGeneration === newest &&
          status?.updatedReplicas === promised.replicas &&
          status?.replicas === promised.replicas &&
          status?.availableReplicas === promised.replicas,
      );
      if (complete === undefined) throw new Error("the record shows no complete update");
      return complete.atMs;
    },
    async answer() {
      const reply = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { connection: "close" },
        signal: AbortSignal.timeout(5_000),
      });
      return ((await reply.json()) as { version: string }).version; // examples/hello/server.mjs
    },
  };
}

/** Does `act` for each of `names` at a random moment while an update that just began goes on. */
export async function atRandomMoments(
  random: Random,
  names: readonly string[],
  act: (name: string) => void | Promise<void>,
): Promise<void> {
  const moments = names
    .map((name) => ({ name, atMs: random.next() * disturbedMs }))
    .toSorted((a, b) => a.atMs - b.atMs);
  const begunMs = performance.now();
  for (const { name, atMs } of moments) {
    await sleep(Math.max(begunMs + atMs - performance.now(), 0)); // The moment is chance's, not a wait.
    await act(name);
  }
}
