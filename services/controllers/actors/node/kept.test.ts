import fc from "fast-check";
import { expect, test } from "vitest";
import type { Turn } from "../../../../libs/actor/behaviour.ts";
import { parse } from "../../../../libs/model/errors.ts";
import { lease, nodeLeaseNamespace } from "../../../../libs/model/kinds/lease.ts";
import { node } from "../../../../libs/model/kinds/node.ts";
import { pod } from "../../../../libs/model/kinds/pod.ts";
import { virtualClock, type VirtualClock } from "../../../../libs/telemetry/virtual-clock.ts";
import { behaviourOf } from "../../behaviour.ts";
import { aNode, aPod, countingRandom, settings, start } from "../../fixtures.ts";
import { observeKeptNodes } from "../../sessions/kept-nodes.ts";
import { simulatedCluster, type SimulatedCluster } from "../../simulated-cluster.ts";
import { nodes } from "../node.ts";

/** Instances whose wall clocks differ; one at a time acts for all nodes. */
function crewOf(cluster: SimulatedCluster, clock: VirtualClock, skewsMs: readonly number[]) {
  const hire = (skewMs: number) => {
    const beganMs = clock.monotonicMs();
    const hearing = { heardForMs: () => clock.monotonicMs() - beganMs };
    const kept = observeKeptNodes({ clock, hearing, replica: cluster, view: cluster.view });
    const ports = { view: cluster.view, random: countingRandom(), record: () => undefined };
    const around = { nodes: { seen: () => undefined, judgeable: () => true }, kept, settings };
    const behaviour = behaviourOf(nodes, { ...ports, ...around });
    return { behaviour, skewMs, [Symbol.dispose]: () => kept[Symbol.dispose]() };
  };
  const crew = skewsMs.map(hire);
  let acting = 0;
  const wakes = new Map<string, { [Symbol.dispose](): void }>();

  function turn(name: string): void {
    const member = crew[acting];
    if (member === undefined) return;
    const now = clock.now() + member.skewMs;
    const turned: Turn | undefined = member.behaviour.turn(name, cluster.view, now);
    if (turned !== undefined && turned.ops.length > 0) cluster.commit(turned.ops);
    wakes.get(name)?.[Symbol.dispose]();
    if (turned?.wakeAt === undefined) return;
    wakes.set(
      name,
      clock.after(Math.max(turned.wakeAt - now, 0), () => turn(name)),
    );
  }
  const turnAll = () => cluster.view.list(node).forEach(({ metadata }) => turn(metadata.name));
  cluster.subscribe(({ changes }) => {
    for (const change of changes) {
      for (const name of crew[acting]?.behaviour.concerns(change, cluster.view) ?? []) {
        clock.after(0, () => turn(name));
      }
    }
  });
  turnAll();
  return {
    /** Another acts from now on, which may have started anew. */
    takeOver(by: number, anew: boolean) {
      const member = crew[by];
      if (anew && member !== undefined) {
        member[Symbol.dispose]();
        crew[by] = hire(member.skewMs);
      }
      acting = by;
      turnAll();
    },
  };
}

type Keeper = { readonly name: string; readonly renewsAtMs: readonly number[] };

/** A node with a pod that bears nothing, and its Lease, which is renewed at those times. */
function keep(cluster: SimulatedCluster, clock: VirtualClock, { name, renewsAtMs }: Keeper): void {
  const status = { conditions: [{ type: "Ready", status: "True" }] };
  cluster.put(node, aNode(name, { status }));
  cluster.put(pod, aPod(`on-${name}`, { node: name }));
  for (const [nth, atMs] of renewsAtMs.entries()) {
    clock.after(atMs, () => {
      const renewTime = new Date(nth).toISOString(); // By the node's own clock, which is wrong.
      const metadata = { name, namespace: nodeLeaseNamespace };
      cluster.put(lease, parse(lease, { metadata, spec: { holderIdentity: name, renewTime } }));
    });
  }
}

/** Times up to `untilMs`, with the gaps one after another, again and again. */
function timesWith(gapsMs: readonly number[], untilMs: number): readonly number[] {
  const times: number[] = [];
  for (let [nth, atMs] = [0, 0]; atMs <= untilMs; nth += 1) {
    times.push(atMs);
    atMs += gapsMs[nth % gapsMs.length] ?? expect.unreachable("there are gaps");
  }
  return times;
}
const every10s = (fromMs: number, untilMs: number) =>
  timesWith([10_000], untilMs - fromMs).map((atMs) => fromMs + atMs);

const isThere = (cluster: SimulatedCluster, name: string) => {
  const held = cluster.view.get(pod, "default", `on-${name}`);
  return held !== undefined && held.metadata.deletionTimestamp === undefined;
};
const readyOf = (cluster: SimulatedCluster, name: string) =>
  cluster.view.get(node, undefined, name)?.status?.conditions?.find(({ type }) => type === "Ready")
    ?.status;

const skews = fc.array(fc.integer({ min: -3_600_000, max: 3_600_000 }), {
  minLength: 3,
  maxLength: 3,
});
const takeovers = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 1, max: 60_000 }),
    by: fc.integer({ min: 0, max: 2 }),
    anew: fc.boolean(),
  }),
  { maxLength: 20 },
);
const gaps = (max: number) =>
  fc.array(fc.integer({ min: Math.floor(max / 2), max }), { minLength: 1, maxLength: 8 });

test("a node whose Lease is renewed every 39 s is never evicted, whoever takes over when (N4)", async () => {
  await fc.assert(
    fc.asyncProperty(
      skews,
      takeovers,
      fc.array(gaps(39_000), { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 4 }),
      async (skewsMs, handOvers, alive, deaths) => {
        const [clock, cluster] = [virtualClock(start), simulatedCluster()];
        const endMs = handOvers.reduce((sum, { afterMs }) => sum + afterMs, 81_000);
        alive.forEach((gapsMs, nth) =>
          keep(cluster, clock, { name: `a${nth}`, renewsAtMs: timesWith(gapsMs, endMs) }),
        );
        deaths.forEach((diesAtMs, nth) =>
          keep(cluster, clock, { name: `d${nth}`, renewsAtMs: every10s(0, diesAtMs) }),
        );
        const crew = crewOf(cluster, clock, skewsMs);
        for (const { afterMs, by, anew } of handOvers) {
          await clock.advance(afterMs);
          crew.takeOver(by, anew);
        }
        await clock.advance(endMs - clock.monotonicMs());
        for (const nth of alive.keys()) {
          expect(isThere(cluster, `a${nth}`)).toBe(true);
          expect(readyOf(cluster, `a${nth}`)).toBe("True");
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a dead node is emptied within the grace when most live, and never when most are dead (N4)", async () => {
  await fc.assert(
    fc.asyncProperty(
      skews,
      takeovers,
      fc.array(gaps(10_000), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 4, maxLength: 4 }),
      async (skewsMs, handOvers, alive, dead, diesAtMs) => {
        const [clock, cluster] = [virtualClock(start), simulatedCluster()];
        const endMs = handOvers.reduce((sum, { afterMs }) => sum + afterMs, 81_000);
        alive.forEach((gapsMs, nth) =>
          keep(cluster, clock, { name: `a${nth}`, renewsAtMs: timesWith(gapsMs, endMs) }),
        );
        const deaths = diesAtMs.slice(0, dead);
        deaths.forEach((at, nth) =>
          keep(cluster, clock, { name: `d${nth}`, renewsAtMs: every10s(0, at) }),
        );
        const crew = crewOf(cluster, clock, skewsMs);
        for (const { afterMs, by, anew } of handOvers) {
          await clock.advance(afterMs);
          crew.takeOver(by, anew);
        }
        await clock.advance(endMs - clock.monotonicMs()); // The last instance has listened for long enough by then.
        for (const nth of deaths.keys()) {
          expect(readyOf(cluster, `d${nth}`)).toBe("Unknown");
          expect(isThere(cluster, `d${nth}`)).toBe(alive.length < dead);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("an outage of the API evicts nobody, neither while it lasts nor when it ends (N4)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 0, max: 10_000 }),
      fc.integer({ min: 1_000, max: 200_000 }),
      async (phasesMs, beginsMs, lastsMs) => {
        const [clock, cluster] = [virtualClock(start), simulatedCluster()];
        const [outageMs, endMs] = [60_000 + beginsMs, 60_000 + beginsMs + lastsMs];
        phasesMs.forEach((phaseMs, nth) => {
          const before = every10s(phaseMs, outageMs);
          const after = every10s(endMs + nth * 1_500, endMs + 60_000); // One after another.
          keep(cluster, clock, { name: `n${nth}`, renewsAtMs: [...before, ...after] });
        });
        crewOf(cluster, clock, [0]);
        await clock.advance(endMs + 60_000);
        for (const nth of phasesMs.keys()) expect(isThere(cluster, `n${nth}`)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
