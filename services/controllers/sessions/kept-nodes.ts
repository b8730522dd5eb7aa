/**
 * Signs of life of the nodes that have no agent of ours: they are kept through the API, by renewals of
 * their Leases or by what is written of their status. A node's own clock says nothing (O8): what counts
 * is when this instance saw a change, so each keeps this memory of all of them (N1, N4).
 */
import { dequal } from "dequal";
import { parseKey, prefixOf } from "../../../libs/cluster/key.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { lease, type Lease, nodeLeaseNamespace } from "../../../libs/model/kinds/lease.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import type { Change, Replica } from "../../../libs/store/replica.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import { engineAnnotation } from "../actors/node.ts";
import { isOurVerdict } from "../actors/node/readiness.ts";
import type { Hearing } from "./hearing.ts";

/** A node kept through the API, as this instance saw it. */
export type KeptNode = {
  /** For how long this instance would have seen a sign of life, and saw none. */
  readonly silentMs: number;
  /** For how long of that, up to now, at least half of such nodes were heard all the time (N4). */
  readonly aloneMs: number;
};

export interface KeptNodes {
  seen(node: string): KeptNode;
}

/**
 * One that was heard within this time shows that others could have been, too. Half of Kubernetes' grace:
 * when the API cannot be reached, what renews every 10 s is missed long before the first is silent.
 */
const heardWithinMs = 20_000;

const nodePrefix = prefixOf(node);
const leasePrefix = prefixOf(lease, nodeLeaseNamespace);

/** Watches until disposed. What is there already counts as heard now: this instance has just come. */
export function observeKeptNodes(ports: {
  readonly clock: Clock;
  readonly hearing: Pick<Hearing, "heardForMs">;
  readonly replica: Pick<Replica<unknown>, "subscribe">;
  readonly view: Pick<ClusterView, "list">;
}): KeptNodes & Disposable {
  const { clock, hearing, replica, view } = ports;
  const heardAtMs = new Map<string, number>();
  let disruptedAtMs = -Infinity;

  const isHeard = (atMs: number) => clock.monotonicMs() - atMs <= heardWithinMs;
  /** Called before whatever could end a disruption: one more that is heard, one fewer that is not. */
  function noteDisruption(): void {
    const heard = [...heardAtMs.values()].filter(isHeard);
    if (heard.length * 2 < heardAtMs.size) disruptedAtMs = clock.monotonicMs();
  }
  function note(change: Change<unknown>): void {
    const sign = signOf(change);
    if (sign === undefined) return;
    const { name, is } = sign;
    const known = heardAtMs.get(name);
    if (known === undefined && is !== "born") return;
    if (known === undefined || !isHeard(known)) noteDisruption();
    if (is === "gone") heardAtMs.delete(name);
    else heardAtMs.set(name, clock.monotonicMs());
  }

  for (const one of view.list(node)) {
    if (isKept(one)) heardAtMs.set(one.metadata.name, clock.monotonicMs());
  }
  const subscription = replica.subscribe(({ changes }) => changes.forEach(note));
  return {
    seen(name) {
      const now = clock.monotonicMs();
      const silentMs = Math.min(now - (heardAtMs.get(name) ?? now), hearing.heardForMs());
      if (silentMs > heardWithinMs) noteDisruption();
      return { silentMs, aloneMs: Math.min(silentMs, now - disruptedAtMs) };
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

const isKept = ({ metadata }: Node) => metadata.annotations?.[engineAnnotation] === undefined;

type Sign = { readonly name: string; readonly is: "born" | "alive" | "gone" };

/** What a change says of a node that is kept, if anything. */
function signOf({ key, before, after }: Change<unknown>): Sign | undefined {
  // Under a kind's key lies an object of that kind.
  if (key.startsWith(nodePrefix)) return nodeSign(key, before?.value as Node, after?.value as Node);
  if (!key.startsWith(leasePrefix)) return undefined;
  const [was, is] = [before?.value as Lease | undefined, after?.value as Lease | undefined];
  if (is === undefined || was?.spec.renewTime === is.spec.renewTime) return undefined;
  return { name: parseKey(key).name, is: "alive" };
}

function nodeSign(
  key: string,
  before: Node | undefined,
  after: Node | undefined,
): Sign | undefined {
  const { name } = parseKey(key);
  if (after === undefined || !isKept(after)) return { name, is: "gone" };
  if (before?.metadata.uid !== after.metadata.uid || !isKept(before)) return { name, is: "born" };
  if (dequal(before.status, after.status) || isOurVerdict(after)) return undefined;
  return { name, is: "alive" };
}
