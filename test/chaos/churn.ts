/** Users who roll, scale, delete and make Deployments without pause. */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { Bus } from "../../libs/bus/bus.ts";
import { type ApiVerb, apiSubject } from "../../libs/protocol/subjects.ts";
import type { Random } from "../../libs/telemetry/random.ts";

export type Churn = {
  readonly namespace: string;
  readonly deployments: number;
  /** Between two actions. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
};
export type ChurnReport = Record<"made" | "rolled" | "scaled" | "deleted" | "unanswered", number>;

const replicasMax = 4;
const answerMaxMs = 5_000;
const answered = z.object({ ok: z.boolean() });

type Wanted = { readonly replicas: number; readonly version: number };

/** Acts until `signal` aborts; what goes unanswered is tried again with the next action on it. */
export async function churn(
  bus: Pick<Bus, "request">,
  random: Random,
  { namespace, deployments, everyMs, signal }: Churn,
): Promise<ChurnReport> {
  const report: ChurnReport = { made: 0, rolled: 0, scaled: 0, deleted: 0, unanswered: 0 };
  const wanted = new Map<string, Wanted | undefined>();
  const names = Array.from({ length: deployments }, (_, nth) => `app-${nth}`);
  const below = (count: number) => Math.floor(random.next() * count);

  async function ask(verb: ApiVerb, body: unknown): Promise<boolean> {
    try {
      const data = new TextEncoder().encode(JSON.stringify(body));
      const reply = await bus.request(apiSubject(verb), data, { timeoutMs: answerMaxMs });
      return answered.parse(JSON.parse(new TextDecoder().decode(reply))).ok;
    } catch {
      return false; // It may have been done: the next action on it says what is wanted in full.
    }
  }
  async function act(name: string): Promise<void> {
    const before = wanted.get(name);
    const what =
      before === undefined
        ? "made"
        : ((["rolled", "rolled", "scaled", "scaled", "deleted"] as const)[below(5)] ?? "rolled");
    const after: Wanted | undefined = {
      made: { replicas: 1 + below(replicasMax), version: 0 },
      rolled: before && { ...before, version: before.version + 1 },
      scaled: before && { ...before, replicas: below(replicasMax + 1) },
      deleted: undefined,
    }[what];
    const done =
      after === undefined
        ? await ask("delete", { kind: "Deployment", namespace, name })
        : await ask("apply", manifest(namespace, name, after));
    if (!done) {
      report.unanswered += 1;
      return;
    }
    wanted.set(name, after);
    report[what] += 1;
  }

  for (const name of names) await act(name);
  while (!signal.aborted) {
    await act(names[below(names.length)] ?? "");
    await sleep(everyMs); // The pace of the users, not a wait for anything.
  }
  return report;
}

const manifest = (namespace: string, name: string, { replicas, version }: Wanted) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    replicas,
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: version % 2 } },
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name }, annotations: { version: String(version) } },
      spec: {
        terminationGracePeriodSeconds: 1,
        // A busy machine's agent may be away for a while: its pods are not to be replaced for that.
        tolerations: ["not-ready", "unreachable"].map((taint) => ({
          key: `node.kubernetes.io/${taint}`,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: 300,
        })),
        containers: [{ name: "app", image: "berth/hello:v1", command: ["sleep", "100000"] }],
      },
    },
  },
});
