/** What is measured of a scheduler's batches, in Prometheus' form. */
import { Counter, Histogram, Registry } from "@prometheus-io/client";

export type BatchEnd = {
  readonly bound: number;
  /** No node takes them. */
  readonly refused: number;
  /** Another scheduler was quicker, or the transaction was full. */
  readonly again: number;
  readonly decidedMs: number;
  /** From the decision to the last answer of its transactions. */
  readonly committedMs: number;
};

export type SchedulerMetrics = {
  ended(batch: BatchEnd): void;
  /** The replica shows what was committed: the next batch may begin. */
  caughtUp(tookMs: number): void;
  /** Prometheus' text exposition format 0.0.4; times in seconds. */
  text(): Promise<string>;
};

/** From a batch of one pod to 500 that are refused by thousands of nodes. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** A registry of its own: two instances in one process do not add up. */
export function schedulerMetrics(): SchedulerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const pods = new Counter({
    name: "berth_scheduler_pods_total",
    help: "Pods in batches, by what became of them.",
    labelNames: ["end"],
    registers,
  });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, buckets, registers });
  const decisions = histogram("berth_scheduler_decide_seconds", "Reading a cut and deciding.");
  const commits = histogram(
    "berth_scheduler_commit_seconds",
    "From a batch's decision to the answers of its transactions.",
  );
  const waits = histogram(
    "berth_scheduler_catch_up_seconds",
    "From those answers to a replica that shows what was committed.",
  );
  return {
    ended({ bound, refused, again, decidedMs, committedMs }) {
      pods.inc({ end: "bound" }, bound);
      pods.inc({ end: "refused" }, refused);
      pods.inc({ end: "again" }, again);
      decisions.observe(decidedMs / 1_000);
      commits.observe(committedMs / 1_000);
    },
    caughtUp: (tookMs) => waits.observe(tookMs / 1_000),
    text: () => registry.metrics(),
  };
}
