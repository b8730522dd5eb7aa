/** What is measured of an instance's actors, by kind, in Prometheus' form. */
import { Counter, Gauge, Histogram, Registry } from "@prometheus-io/client";

/** How a turn ended: nothing to change, its transaction committed, a lost race, or an error. */
export type TurnEnd = "unchanged" | "committed" | "conflict" | "failed";

export type ActorMetrics = {
  /** A turn begins, so long after the first message that it is for. */
  took(kind: string, waitedMs: number): void;
  /** It has decided; reading its world is a part of that. */
  decided(kind: string, tookMs: number): void;
  /** Its transaction was answered, committed or refused. */
  committed(kind: string, tookMs: number): void;
  ended(kind: string, end: TurnEnd): void;
  /** Prometheus' text exposition format 0.0.4; times in seconds. */
  text(): Promise<string>;
};

/** What is measured when it is asked for. */
export type ActorGauges = {
  readonly waiting: () => ReadonlyMap<string, number>;
  readonly inFlight: () => number;
  readonly held: () => number;
};

/** From a tenth of a millisecond, which a decision takes, to the ten seconds of a store that stalls. */
const buckets = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

/** A registry of its own: two instances in one process do not add up. */
export function actorMetrics({ waiting, inFlight, held }: ActorGauges): ActorMetrics {
  const registry = new Registry();
  const registers = [registry];
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ["kind"], buckets, registers });
  const turns = new Counter({
    name: "berth_actor_turns_total",
    help: "Turns, by how they ended.",
    labelNames: ["kind", "end"],
    registers,
  });
  const waits = histogram("berth_actor_wait_seconds", "From a message to its turn.");
  const decisions = histogram("berth_actor_decide_seconds", "Reading a cut and deciding.");
  const commits = histogram(
    "berth_actor_commit_seconds",
    "From a decision to its commit's answer.",
  );
  const waitingNow = new Gauge({
    name: "berth_actor_waiting",
    help: "Actors that wait for a turn: the depth of the mailboxes.",
    labelNames: ["kind"],
    registers,
  });
  const inFlightNow = new Gauge({
    name: "berth_actor_turns_in_flight",
    help: "Turns whose commit is under way.",
    registers,
  });
  const heldNow = new Gauge({
    name: "berth_actor_held",
    help: "Actors that are kept: those that act, wait for a time, or fail.",
    registers,
  });
  return {
    took: (kind, waitedMs) => waits.observe({ kind }, waitedMs / 1_000),
    decided: (kind, tookMs) => decisions.observe({ kind }, tookMs / 1_000),
    committed: (kind, tookMs) => commits.observe({ kind }, tookMs / 1_000),
    ended: (kind, end) => turns.inc({ kind, end }),
    text() {
      for (const [kind, depth] of waiting()) waitingNow.set({ kind }, depth);
      inFlightNow.set(inFlight());
      heldNow.set(held());
      return registry.metrics();
    },
  };
}
