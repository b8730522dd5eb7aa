import type { NodeFacts, NodeHeartbeat } from "../../../libs/protocol/node.ts";
import type { Clock, EpochMs } from "../../../libs/telemetry/clock.ts";
import type { Hearing } from "./hearing.ts";

/** What is known of a node beside its object: an observation with its age (N1). */
export type ObservedNode = {
  readonly ageMs: number;
  readonly boot: string;
  readonly facts: NodeFacts;
};

/** Heartbeats as this instance heard them. What is absent is unknown, never dead. */
export interface ObservedNodes {
  seen(node: string): ObservedNode | undefined;
  /**
   * May silence be judged now (N4): has this instance listened long enough, and does it hear at
   * least half of the nodes?
   *
   * @param nodes the names of those with an agent that the cut shows: only they are counted, so that
   * one whose Node was deleted, and that is heard, does not speak for the others
   */
  judgeable(nodes: readonly string[]): boolean;
}

export type HeartbeatVerdict =
  | {
      readonly accepted: true;
      /** Its facts differ from what was last heard, or it was silent. */ readonly news: boolean;
    }
  | {
      readonly accepted: false;
      readonly reason: string;
      /** Of the agent that is heard; absent while another may still be heard. */
      readonly engineId?: string;
    };

/** A node is silent after this long without a heartbeat (design §4). */
export const silenceMs = 4_000;
/**
 * Whoever could not listen for a while hears what has queued meanwhile as if it were of now. It judges
 * only when that is older than a silence too, or the queue's last words would count their senders alive.
 */
export const queuedMs = 500;
type Heard = {
  readonly boot: string;
  readonly bootedAt: EpochMs;
  readonly facts: NodeFacts;
  readonly factsText: string;
  readonly atMs: number;
};

/** The memory of all heartbeats; every controllers instance keeps one of all nodes (N4). */
export function observeNodes(
  clock: Clock,
  hearing: Hearing,
): ObservedNodes & {
  /** @param recordedEngine what the Node, at the cut, says its engine is */
  hear(heartbeat: NodeHeartbeat, recordedEngine: string | undefined): HeartbeatVerdict;
  forget(node: string): void;
  /** From now on heartbeats reach this instance: before that, nothing is a silence (N4). */
  listens(): void;
} {
  const heard = new Map<string, Heard>();
  let listensSinceMs = Number.POSITIVE_INFINITY;
  const heardForMs = () => Math.min(hearing.heardForMs(), clock.monotonicMs() - listensSinceMs);
  const ageOf = ({ atMs }: Heard) => clock.monotonicMs() - atMs;
  return {
    hear(heartbeat, recordedEngine) {
      const { node, boot, bootedAt, facts: told } = heartbeat;
      const known = heard.get(node);
      if (known?.boot !== boot && (known === undefined || ageOf(known) > silenceMs)) {
        // The first of two may be heard any moment: this instance has not listened for long.
        const engine = recordedEngine ?? known?.facts.engineId;
        const foreign = engine !== undefined && engine !== told.engineId;
        if (foreign && heardForMs() < silenceMs)
          return { accepted: false, reason: "the node had another engine" };
      } else if (known !== undefined) {
        const reason = refuse(known, heartbeat);
        const { engineId } = known.facts;
        if (reason !== undefined) return { accepted: false, reason, engineId };
      }
      const images = told.images ?? (known?.boot === boot ? known.facts.images : undefined);
      const facts = { ...told, ...(images !== undefined && { images }) };
      const factsText = JSON.stringify(facts);
      const changed = known === undefined || known.factsText !== factsText || known.boot !== boot;
      const news = changed || ageOf(known) > silenceMs;
      heard.set(node, { boot, bootedAt, facts, factsText, atMs: clock.monotonicMs() });
      return { accepted: true, news };
    },
    seen(node) {
      const known = heard.get(node);
      return known && { ageMs: ageOf(known), boot: known.boot, facts: known.facts };
    },
    judgeable(nodes) {
      if (heardForMs() < silenceMs + queuedMs) return false;
      const alive = nodes.filter((name) => {
        const known = heard.get(name);
        return known !== undefined && ageOf(known) <= silenceMs;
      });
      return alive.length * 2 >= nodes.length;
    },
    forget: (node) => void heard.delete(node),
    listens: () => void (listensSinceMs = clock.monotonicMs()),
  };
}

/**
 * N5: why this agent may not have the name, if it may not. Of two on one engine the later has it,
 * whichever was heard first here: a heartbeat of the former may be late.
 */
function refuse(
  { facts: { engineId }, ...known }: Heard,
  { boot, bootedAt, facts }: NodeHeartbeat,
): string | undefined {
  if (known.boot === boot) return undefined;
  if (engineId !== facts.engineId) return "an agent on another engine has this node's name";
  return bootedAt < known.bootedAt ? "a later agent has this node's name" : undefined;
}
