import { admitRemove, admitReport } from "../../../libs/admission/admit.ts";
import { reportAnnotation } from "../../../libs/admission/derived.ts";
import { timestamp } from "../../../libs/admission/context.ts";
import { pod as podKind, type Pod } from "../../../libs/model/kinds/pod.ts";
import type { NodeReportReply, PodReport } from "../../../libs/protocol/node.ts";
import { ReplicaLagging } from "../../../libs/store/replica.ts";
import { StoreUnavailable } from "../../../libs/store/store.ts";
import { judgeReport } from "./merge-report.ts";
import { admission, type SessionPorts } from "./sessions.ts";

type Outcome = NodeReportReply["results"][number]["outcome"];
type Sender = {
  readonly node: string;
  readonly boot: string;
  readonly currentBoot: () => string | undefined;
};

/** Lost races in a row after which the node is asked to send its report again. */
const attemptsMax = 5;

/**
 * Writes a report down: one conditional put of the pod, answered after the commit (N2), or the end of
 * the pod's keys once its containers are gone (O6).
 */
export async function storeReport(
  ports: SessionPorts,
  sender: Sender,
  report: PodReport,
): Promise<Outcome> {
  try {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const outcome = await tryStore(ports, sender, report);
      if (outcome !== "lost") return outcome;
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailable) && !(error instanceof ReplicaLagging)) throw error;
    ports.log.warn({ node: sender.node, uid: report.uid, err: error }, "a report was not stored");
  }
  return "retry";
}

async function tryStore(
  ports: SessionPorts,
  sender: Sender,
  report: PodReport,
): Promise<Outcome | "lost"> {
  const { store, replica, view, clock } = ports;
  const pod = view.get(podKind, report.namespace, report.name);
  const here = pod?.spec.nodeName === sender.node ? pod : undefined;
  const verdict = judgeReport(here && reported(here), report, {
    boot: sender.boot,
    currentBoot: sender.currentBoot(),
    stamp: timestamp(clock.now()),
  });
  if (verdict.act === "forget" || here === undefined) return "gone";
  // What a finalizer holds goes with a later report: the node is to repeat it (O6).
  const held = report.gone && here.metadata.deletionTimestamp !== undefined;
  const stored = held ? "retry" : "stored";
  if (verdict.act === "skip") return stored;
  if (verdict.act === "refuse") return "retry";
  const context = admission(ports);
  const admitted =
    verdict.act === "remove"
      ? admitRemove(podKind, here, context)
      : admitReport(podKind, here, verdict, context);
  if (admitted === undefined) return stored;
  const outcome = await store.commit(admitted.ops, { cut: view.revision });
  if (outcome.ok) {
    await replica.caughtUp(outcome.revision);
    return verdict.act === "remove" ? "gone" : stored;
  }
  if (outcome.revision !== undefined) await replica.caughtUp(outcome.revision);
  else await replica.caughtUp(await store.lastRevision());
  return "lost";
}

const reported = ({ metadata, status }: Pod) => ({
  uid: metadata.uid ?? "",
  mark: metadata.annotations?.[reportAnnotation],
  ending: metadata.deletionTimestamp !== undefined,
  finalizers: metadata.finalizers?.length ?? 0,
  status: status ?? {},
});
