/**
 * How fast does the scheduler decide, with nothing around it? Pods are placed in batches as they are in
 * a cluster, beside a look at every node for every pod by the plain rules alone, which is what filtering
 * and scoring without any remembering would cost.
 *
 *     node bench/scheduler/decision.ts [--nodes 100,1000,5000] [--pods 5000] [--runs 3]
 */
import { parseArgs } from "node:util";
import { defaultScheduling } from "../../libs/cluster/settings.ts";
import { type Claim, claimOf } from "../../services/scheduler/claim.ts";
import { countCohorts } from "../../services/scheduler/decisions/cohorts.ts";
import { place, predicates, scoresBy } from "../../services/scheduler/decisions/place.ts";
import { type Room, roomOf, withClaim } from "../../services/scheduler/room.ts";
import { type Result, report } from "../report.ts";
import {
  applicationsFor,
  fillersOnNode,
  highPriority,
  type Mix,
  mixes,
  nodeCapacity,
  nodeLabels,
  nodeName,
  podsOf,
  podTemplate,
} from "./mixes.ts";

type Params = { readonly nodes: number; readonly pods: number; readonly runs: number };

/** As many as the scheduler takes at once. */
const batch = 500;
/** Looks at a node take long enough that fewer pods do. */
const looksMax = 2_000_000;

export function benchDecisions({ nodes, pods, runs }: Params): readonly Result[] {
  const rates = new Map(mixes.map((mix) => [mix, [] as number[]]));
  const looks: number[] = [];
  for (let run = -1; run < runs; run += 1) {
    const look = rateOfLooks(claimsOf("plain", { nodes, pods }), roomsOf(nodes));
    const placed = mixes.map((mix) => [mix, rateOfMix(mix, { nodes, pods })] as const);
    if (run < 0) continue; // Code is compiled by then.
    looks.push(look);
    for (const [mix, rate] of placed) rates.get(mix)?.push(rate);
  }
  return mixes.map((mix) => ({
    bench: `scheduler/decision-${mix}`,
    params: { nodes, pods: podsOf(mix, { nodes, pods }), batch },
    unit: "pods/s",
    measured: rates.get(mix) ?? [],
    baseline: { name: "every node looked at for every pod, plain rules", measured: looks },
  }));
}

function rateOfMix(mix: Mix, size: Omit<Params, "runs">): number {
  const empty = roomsOf(size.nodes);
  const fillers = (nth: number) =>
    Array.from({ length: fillersOnNode }, (_, own) => aClaim("filler", `filler-${nth}-${own}`));
  const full = () => empty.map((room, nth) => fillers(nth).reduce(withClaim, room));
  return rateOf(claimsOf(mix, size), mix === "preemption" ? full() : empty);
}

/** @returns pods a second, bound or, where room must be made, nominated */
function rateOf(claims: readonly Claim[], rooms: readonly Room[]): number {
  const now = new Map(rooms.map((room) => [room.name, room]));
  const cohorts = countCohorts(rooms);
  let tookMs = 0;
  let settled = 0;
  for (let first = 0; first < claims.length; first += batch) {
    const all = [...now.values()];
    const begunMs = performance.now();
    const { binds, refused } = place(claims.slice(first, first + batch), all, { cohorts });
    tookMs += performance.now() - begunMs;
    for (const [node, bound] of binds) {
      const room = now.get(node);
      if (room === undefined) throw new Error(`a pod was bound to ${node}, which is not there`);
      now.set(node, bound.reduce(withClaim, room));
      for (const claim of bound) cohorts.count(claim, node, 1);
      settled += bound.length;
    }
    settled += refused.filter(({ nomination }) => nomination !== undefined).length;
  }
  if (settled === 0) throw new Error("no pod found a node");
  return claims.length / (tookMs / 1_000);
}

/** The best of all nodes by rules that look at one node alone. */
function rateOfLooks(claims: readonly Claim[], rooms: readonly Room[]): number {
  const scores = scoresBy(defaultScheduling);
  const some = claims.slice(0, Math.max(1, Math.floor(looksMax / rooms.length)));
  let found = 0;
  const begunMs = performance.now();
  for (const claim of some) {
    let best = -1;
    for (const room of rooms) {
      if (!predicates.every((one) => one.check(claim, room))) continue;
      best = Math.max(
        best,
        scores.reduce((sum, one) => sum + one.weight * one.score(claim, room), 0),
      );
    }
    if (best >= 0) found += 1;
  }
  const seconds = (performance.now() - begunMs) / 1_000;
  if (found < some.length) throw new Error("a pod found no node");
  return some.length / seconds;
}

const roomsOf = (nodes: number): readonly Room[] =>
  Array.from({ length: nodes }, (_, nth) =>
    roomOf(
      {
        metadata: { name: nodeName(nth), labels: nodeLabels(nth) },
        status: {
          allocatable: nodeCapacity,
          conditions: [{ type: "Ready", status: "True" }],
        },
      },
      [],
    ),
  );

function claimsOf(mix: Mix, size: Omit<Params, "runs">): readonly Claim[] {
  const applications = applicationsFor(size);
  return Array.from({ length: podsOf(mix, size) }, (_, nth) =>
    aClaim(mix, `pod-${nth}`, `app-${nth % applications}`),
  );
}

function aClaim(mix: Parameters<typeof podTemplate>[0], name: string, app = name): Claim {
  const { metadata, spec } = podTemplate(mix, app);
  const ownerReferences = [{ uid: app, controller: true }];
  return claimOf({
    metadata: { ...metadata, name, namespace: "default", uid: name, ownerReferences },
    spec: { ...spec, priority: mix === "preemption" ? highPriority.value : 0 },
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "100,1000,5000" },
      pods: { type: "string", default: "5000" },
      runs: { type: "string", default: "3" },
    },
  });
  for (const nodes of values.nodes.split(",").map(Number)) {
    report(benchDecisions({ nodes, pods: Number(values.pods), runs: Number(values.runs) }));
  }
}
