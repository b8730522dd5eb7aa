/** Answers agents that ask whether every lb has stopped routing to a pod (N6, design §6). */
import { endpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import { pod as podKind, type Pod } from "../../../libs/model/kinds/pod.ts";
import { service as serviceKind } from "../../../libs/model/kinds/service.ts";
import { isTerminal, readySinceMs } from "../../../libs/model/pod/state.ts";
import type { Served } from "../../../libs/bus/bus.ts";
import {
  type DrainAnswer,
  drainQuestion,
  type DrainQuestion,
} from "../../../libs/protocol/node.ts";
import { controlSubjects } from "../../../libs/protocol/subjects.ts";
import { ReplicaLagging } from "../../../libs/store/replica.ts";
import type { Revision } from "../../../libs/store/store.ts";
import { type DrainedPod, drainTarget, type HoldingSlice } from "./drain-target.ts";
import type { ObservedLbs } from "./observed-lbs.ts";
import type { SessionPorts } from "./sessions.ts";

/** Questions at work at once; each waits for at most its own limit. */
const questionsMax = 1_000;
/** How often a wait looks again by itself: an lb may have fallen silent. */
const lookAgainMs = 250;

/**
 * Every instance that knows says "applied" or "no-service", as either is proven by what it holds, and
 * the first answer counts: so a drain does not wait for an instance that has just died. That there is
 * no lb, and that the time is over, only the owner says.
 */
export function serveDrains(ports: SessionPorts, lbs: ObservedLbs): Promise<Served> {
  return ports.bus.serve(
    controlSubjects("drain"),
    async ({ data }) => {
      const question = drainQuestion.parse(JSON.parse(new TextDecoder().decode(data)));
      const outcome = await answerDrain(ports, lbs, question);
      if (outcome === undefined) return undefined;
      return new TextEncoder().encode(JSON.stringify({ outcome } satisfies DrainAnswer));
    },
    { concurrency: questionsMax },
  );
}

/** Undefined: this instance does not know, or another one says it. */
export async function answerDrain(
  { replica, view, placement, clock, signal }: SessionPorts,
  lbs: ObservedLbs,
  question: DrainQuestion,
): Promise<DrainAnswer["outcome"] | undefined> {
  const { namespace, name, uid, applied, limitMs } = question;
  const deadlineMs = clock.monotonicMs() + limitMs;
  const isOwner = () => placement.owns(`drains/${namespace}/${name}`);
  using change = changes(
    (listener) => [replica.subscribe(listener), lbs.onChange(listener)],
    clock,
    signal,
  );
  try {
    await replica.caughtUp(applied, { signal, timeoutMs: Math.max(limitMs, 1) }); // N3
  } catch (error) {
    if (!(error instanceof ReplicaLagging)) throw error;
    return undefined; // It lags, or ends: it knows nothing of the pod, and others may.
  }

  /** As first seen: a slice that is written again for other pods does not prolong the wait. */
  let revision: Revision | undefined;
  while (!signal.aborted) {
    if (revision === undefined) {
      const target = readTarget(view, question);
      if (target.kind === "none") return "no-service";
      if (target.kind === "written") revision = target.revision;
    }
    if (revision !== undefined && lbs.settled()) {
      const verdict = judge(lbs.alive(), revision);
      if (verdict === "applied" || (verdict === "no-lb" && isOwner())) return verdict;
    }
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) return isOwner() ? "limit" : undefined;
    await change.next(Math.min(leftMs, lookAgainMs));
  }
  return undefined;

  function readTarget(cut: SessionPorts["view"], { uid: wanted }: DrainQuestion) {
    const pod = cut.get(podKind, namespace, name);
    const services = cut.list(serviceKind, { namespace });
    return drainTarget(
      pod?.metadata.uid === wanted ? drained(pod, uid) : undefined,
      services.map(({ metadata, spec }) => ({
        name: metadata.name,
        selector: spec.selector ?? {},
      })),
      slicesIn(cut, namespace),
    );
  }
}

/** Whether all that are alive have applied `revision`. */
export function judge(
  alive: readonly { readonly applied: Revision }[],
  revision: Revision,
): "applied" | "no-lb" | "wait" {
  if (alive.length === 0) return "no-lb";
  return alive.every(({ applied }) => applied >= revision) ? "applied" : "wait";
}

function drained(pod: Pod, uid: string): DrainedPod {
  const routable =
    (pod.status?.podIP ?? "") !== "" && readySinceMs(pod) !== undefined && !isTerminal(pod);
  return { uid, labels: pod.metadata.labels ?? {}, routable };
}

function slicesIn(view: SessionPorts["view"], namespace: string): HoldingSlice[] {
  return view.list(endpointSlice, { namespace }).map(({ metadata, endpoints }) => ({
    service: metadata.labels?.["kubernetes.io/service-name"] ?? "",
    revision: Number(metadata.resourceVersion),
    endpoints: (endpoints ?? []).map(({ targetRef, conditions }) => ({
      uid: targetRef?.uid,
      terminating: conditions?.terminating ?? false,
    })),
  }));
}

/** Waits for the next change; one that came since the last wait counts. */
function changes(
  subscribe: (listener: () => void) => readonly Disposable[],
  clock: SessionPorts["clock"],
  signal: AbortSignal,
): Disposable & { next(limitMs: number): Promise<void> } {
  let missed = false;
  let waiter: (() => void) | undefined;
  const wake = () => {
    missed = true;
    waiter?.();
  };
  const subscriptions = [...subscribe(wake)];
  signal.addEventListener("abort", wake, { once: true });
  return {
    async next(limitMs) {
      if (!missed) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiter = resolve;
        using _limit = clock.after(limitMs, resolve);
        await promise;
        waiter = undefined;
      }
      missed = false;
    },
    [Symbol.dispose]() {
      signal.removeEventListener("abort", wake);
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}
