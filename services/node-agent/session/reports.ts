/** Reports that wait to be told: the newest of each pod, repeated until it is answered (N2). */
import type { NodeReport, NodeReportReply, PodReport } from "../../../libs/protocol/node.ts";

export type AgentEvent = NodeReport["events"][number];
type Told = Omit<PodReport, "sequence">;

export interface Reports {
  /** What is to be told of a pod now; what was to be told before is not, any more. */
  put(report: Told): void;
  /** Best effort: beyond 200 that wait, the oldest are dropped. */
  event(event: AgentEvent): void;
  /** The next message; undefined: nothing waits. */
  take(): Pick<NodeReport, "reports" | "events"> | undefined;
  /** The message was answered. @returns the uids that are gone for the control plane */
  answered(reports: readonly PodReport[], reply: NodeReportReply): readonly string[];
  forget(uid: string): void;
}

const batchMax = 200;
const eventsMax = 200;

export function reports(): Reports {
  const waiting = new Map<string, PodReport>();
  const sequences = new Map<string, number>();
  let events: AgentEvent[] = [];
  return {
    put(report) {
      const sequence = (sequences.get(report.uid) ?? 0) + 1;
      sequences.set(report.uid, sequence);
      waiting.delete(report.uid); // It goes to the end, behind those that wait longer.
      waiting.set(report.uid, { ...report, sequence });
    },
    event(event) {
      events = [...events, event].slice(-eventsMax);
    },
    take() {
      if (waiting.size === 0 && events.length === 0) return undefined;
      const message = { reports: [...waiting.values()].slice(0, batchMax), events };
      events = [];
      return message;
    },
    answered(sent, { results }) {
      const outcomes = new Map(results.map(({ uid, outcome }) => [uid, outcome]));
      const gone: string[] = [];
      for (const { uid, sequence } of sent) {
        const outcome = outcomes.get(uid) ?? "retry";
        if (outcome === "gone") gone.push(uid);
        else if (outcome === "stored" && waiting.get(uid)?.sequence === sequence)
          waiting.delete(uid);
      }
      return gone;
    },
    forget(uid) {
      waiting.delete(uid);
      sequences.delete(uid);
    },
  };
}
