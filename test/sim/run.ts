/** One schedule: users and mishaps, then calm; in the end everything is as it was asked for. */
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { service } from "../../libs/model/kinds/service.ts";
import { isLive, readySinceMs } from "../../libs/model/pod/state.ts";
import { node } from "../../libs/model/kinds/node.ts";
import { allControllers } from "../../services/controllers/instance.ts";
import type { Counts } from "./chaos.ts";
import { allInvariants } from "./invariant.ts";
import { stepsOf } from "./schedule.ts";
import { objectsIn } from "./state.ts";
import { allWorkloads } from "./workload.ts";
import { openWorld, type World } from "./world.ts";

export type RunOptions = {
  readonly seed: number;
  /** Acts of users and mishaps. */
  readonly steps: number;
  /** Only these of them, by number from 1. */
  readonly only?: readonly number[] | undefined;
  /** Only these workloads, by name. */
  readonly of?: readonly string[] | undefined;
  /** Nothing comes by chance. */
  readonly calm?: boolean | undefined;
};

export type RunResult = {
  /** What was broken; empty: nothing. */
  readonly broken: readonly string[];
  readonly revisions: number;
  readonly virtualMs: number;
  /** What was done, in order. */
  readonly acts: readonly string[];
  readonly mishaps: Counts;
};

/** What is checked beside the invariants: at each end of a pod, at each answer, at each cut, and in the end. */
export const besides = [
  "drained",
  "one-agent",
  "asked-for",
  "answers",
  "caches-agree",
  "converges",
  "idle",
];

const nodesWithinMs = 10_000;
/** A kept node is silent for 42 s in an act, and each of its writes may wait 30 s for a gateway that lags. */
const actsWithinMs = 120_000;
const convergesWithinMs = 180_000;
const restMs = 6_000;
const idleMs = 8_000;

const [controllers, invariants, workloads] = await Promise.all([
  allControllers(),
  allInvariants(),
  allWorkloads(),
]);

export async function runSchedule(options: RunOptions): Promise<RunResult> {
  const { seed, calm = false } = options;
  const instances = 2 + (seed % 2);
  await using world = await openWorld({ seed, controllers, invariants, instances, calm });
  const acts: string[] = [];
  const { broken } = world;
  await hasNodes(world);
  const underWay = new Set<Promise<void>>();
  for (const step of stepsOf(options, workloads)) {
    if (broken.length > 0) break;
    if (step.what !== "") acts.push(`${Math.round(world.now())} ms: ${step.what}`);
    const running = step.run(world).catch((error: unknown) => {
      world.fail(`${step.what}: ${error instanceof Error ? (error.stack ?? "") : String(error)}`);
    });
    underWay.add(running);
    running.finally(() => underWay.delete(running)).catch(() => undefined);
    await world.sleep(step.pauseMs);
  }
  if (broken.length === 0) await settle(world, acts, underWay);
  const { revision } = world.state;
  const mishaps = { ...world.chaos.counts };
  return { acts, broken: [...broken], revisions: revision, virtualMs: world.now(), mishaps };
}

async function hasNodes(world: World): Promise<void> {
  const until = world.now() + nodesWithinMs;
  const ready = () =>
    [...objectsIn(world.state, node)].filter(({ spec }) => (spec.taints ?? []).length === 0);
  while (world.now() < until && ready().length < world.machines.length) await world.sleep(100);
}

/** Waits until nothing is wrong, then until nothing is written. */
async function settle(world: World, acts: string[], underWay: Set<Promise<void>>): Promise<void> {
  const { broken } = world;
  world.calm();
  const over = Promise.all(underWay).then(() => "over" as const);
  const late = world.sleep(actsWithinMs).then(() => "late" as const);
  if ((await Promise.race([over, late])) === "late") world.fail("converges: an act does not end");
  world.calm(); // What an act that was under way has done since.
  const [first] = world.users;
  await first?.shown(); // Whoever lags makes a user overlook what is there.
  for (const { calm } of workloads) {
    const [one] = world.users;
    if (one !== undefined) await calm?.(one);
  }
  const deadline = world.now() + convergesWithinMs;
  let wrong = unfinished(world);
  while (wrong.length > 0 && world.now() < deadline && broken.length === 0) {
    await world.sleep(500);
    wrong = unfinished(world);
  }
  acts.push(`${Math.round(world.now())} ms: converged`);
  if (wrong.length > 0 && broken.length === 0) {
    world.fail(`converges: after ${convergesWithinMs} ms of calm ${wrong.join("; ")}`);
  }
  if (broken.length > 0) return;
  await world.sleep(restMs);
  const { revision } = world.state;
  await world.sleep(idleMs);
  const written = world.writtenSince(revision);
  if (written.length > 0) world.fail(`idle: in calm were written ${written.join(", ")}`);
}

/** What is not yet as it was asked for. */
function unfinished({ state, machines, balancers }: World): readonly string[] {
  const wrong = workloads.flatMap((one) => [...(one.unfinished?.(state) ?? [])]);
  const pods = [...objectsIn(state, pod)];
  const live = new Map(pods.filter(isLive).map((one) => [one.metadata.uid, one]));
  for (const { name: on, running } of machines) {
    for (const { uid, pod: name } of running.values()) {
      const nodeName = live.get(uid)?.spec.nodeName;
      if (nodeName !== on) wrong.push(`${name} runs on at ${on}`);
    }
  }
  for (const { metadata } of pods) {
    const { uid, name, namespace, deletionTimestamp } = metadata;
    const isRunning = machines.some((one) => one.running.has(uid));
    if (live.has(uid) && !isRunning) wrong.push(`${namespace}/${name} does not run`);
    if (deletionTimestamp !== undefined) wrong.push(`${namespace}/${name} does not end`);
  }
  const services = [...objectsIn(state, service)];
  const served = new Set(
    pods
      .filter((one) => isLive(one) && readySinceMs(one) !== undefined)
      .filter((one) =>
        services.some((of) => isSelected(one, of.metadata.namespace, of.spec.selector)),
      )
      .map(({ status }) => status?.podIP ?? ""),
  );
  for (const { machine, routed } of balancers) {
    const missing = [...served].filter((address) => !routed.has(address));
    const stale = [...routed].filter((address) => !served.has(address));
    if (missing.length + stale.length > 0)
      wrong.push(`lb ${machine} lacks ${missing.length} and keeps ${stale.length} endpoints`);
  }
  return wrong;
}

function isSelected(
  { metadata }: Pod,
  namespace: string,
  selector: Readonly<Record<string, string>> | undefined,
): boolean {
  const wanted = Object.entries(selector ?? {});
  const has = wanted.every(([key, value]) => metadata.labels?.[key] === value);
  return metadata.namespace === namespace && wanted.length > 0 && has;
}
