/** One schedule: users and mishaps at random, then calm; in the end everything is as it was asked for. */
import { deployment } from "../../libs/model/kinds/deployment.ts";
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { service } from "../../libs/model/kinds/service.ts";
import { replicaSet } from "../../libs/model/kinds/replicaset.ts";
import type { Controller } from "../../services/controllers/controller.ts";
import { readySinceMs } from "../../libs/model/pod/state.ts";
import { objectIn, objectsIn } from "./invariants.ts";
import { home } from "./user.ts";
import { openWorld, type Service, type World } from "./world.ts";

export type RunOptions = {
  readonly seed: number;
  readonly controllers: readonly Controller[];
  /** Acts of users and mishaps. */
  readonly steps: number;
};

export type RunResult = {
  /** What was broken; empty: nothing. */
  readonly broken: readonly string[];
  readonly revisions: number;
  readonly virtualMs: number;
  /** What was done, in order. */
  readonly acts: readonly string[];
};

/** What is checked in the end. */
export const ends = ["converges", "idle"];

const names = ["web", "shop", "mail"];
const convergesWithinMs = 180_000;
const idleMs = 30_000;

export async function runSchedule({ seed, controllers, steps }: RunOptions): Promise<RunResult> {
  const faultRate = [0, 0.02, 0.05][seed % 3] ?? 0;
  await using world = await openWorld({
    seed,
    controllers,
    instances: 2 + (seed % 2),
    schedulers: 2,
    machines: 3,
    faultRate,
  });
  const acts: string[] = [];
  const { random, broken } = world;
  await world.sleep(8_000); // Nodes register, namespaces come to be.
  for (let step = 0; step < steps && broken.length === 0; step += 1) {
    const act = random.next() < 0.6 ? useAct(world) : mishap(world);
    acts.push(`${Math.round(world.now())} ms: ${await act}`);
    await world.sleep(Math.floor(random.next() * 4_000));
  }
  if (broken.length === 0) {
    world.calm();
    for (const one of world.services) {
      one.start();
      one.connect(true);
    }
    await settle(world, acts);
  }
  const result = { acts, broken: [...broken] };
  return { ...result, revisions: world.state.revision, virtualMs: world.now() };
}

/** Waits until nothing is wrong, then until nothing is written. */
async function settle(world: World, acts: string[]): Promise<void> {
  const broken = world.broken as string[]; // This file and the world share it.
  const deadline = world.now() + convergesWithinMs;
  let wrong = unfinished(world);
  while (wrong.length > 0 && world.now() < deadline && broken.length === 0) {
    await world.sleep(500);
    wrong = unfinished(world);
  }
  acts.push(`${Math.round(world.now())} ms: converged`);
  if (wrong.length > 0) {
    broken.push(`converges: after ${convergesWithinMs} ms of calm ${wrong.join("; ")}`);
    return;
  }
  await world.sleep(5_000);
  const { revision } = world.state;
  await world.sleep(idleMs);
  const written = world.writtenSince(revision);
  if (written.length > 0) broken.push(`idle: in calm were written ${written.join(", ")}`);
}

/** What is not yet as it was asked for. */
function unfinished({ state, machines, balancers }: World): readonly string[] {
  const pods = [...objectsIn(state, pod)];
  const wrong: string[] = [];
  for (const { metadata, spec, status } of objectsIn(state, deployment)) {
    const done =
      status?.observedGeneration === metadata.generation &&
      status?.replicas === spec.replicas &&
      (status.updatedReplicas ?? 0) === spec.replicas &&
      (status.availableReplicas ?? 0) === spec.replicas;
    if (!done) wrong.push(`${metadata.name} is not complete: ${JSON.stringify(status)}`);
  }
  for (const one of pods) {
    const { name } = one.metadata;
    const owner = one.metadata.ownerReferences?.[0]?.name ?? "";
    if (objectIn(state, replicaSet, home, owner) === undefined) wrong.push(`${name} is an orphan`);
    if (readySinceMs(one) === undefined) wrong.push(`${name} is not ready`);
    if (one.metadata.deletionTimestamp !== undefined) wrong.push(`${name} does not end`);
  }
  const known = new Set(pods.map(({ metadata }) => metadata.uid));
  const running = machines.flatMap((one) => [...one.running.values()]);
  for (const { uid, pod: name } of running) if (!known.has(uid)) wrong.push(`${name} runs on`);
  if (running.length < known.size) wrong.push("a pod does not run");
  const expected = pods.filter(isServed).map(({ status }) => status?.podIP ?? "");
  const isServedBy = new Set([...objectsIn(state, service)].map(({ metadata }) => metadata.name));
  const served = new Set(
    expected.filter((_, at) => isServedBy.has(appOf(pods.filter(isServed)[at]))),
  );
  for (const { machine, routed } of balancers) {
    const missing = [...served].filter((address) => !routed.has(address));
    const stale = [...routed].filter((address) => !served.has(address));
    if (missing.length + stale.length > 0)
      wrong.push(`lb ${machine} lacks ${missing.length} and keeps ${stale.length} endpoints`);
  }
  return wrong;
}

const isServed = (one: Pod): boolean => readySinceMs(one) !== undefined;
const appOf = (one: Pod | undefined): string => one?.metadata.labels?.["app"] ?? "";

async function useAct({ user, state, random }: World): Promise<string> {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T; // Not empty.
  const name = pick(names);
  if (objectIn(state, deployment, home, name) === undefined) {
    const replicas = 1 + Math.floor(random.next() * 6);
    const maxSurge = pick([0, 1, 2, "25%", "50%"]);
    const maxUnavailable = maxSurge === 0 ? 1 : pick([0, 1, "25%"]);
    const labels = { app: name };
    const rolling = { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } };
    const strategy = random.next() < 0.15 ? { type: "Recreate" } : rolling;
    await user.create(deployment, {
      metadata: { name, namespace: home },
      spec: {
        replicas,
        strategy,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              { name: "main", image: "app:1", resources: { requests: { cpu: "400m" } } },
            ],
          },
        },
      },
    });
    if (objectIn(state, service, home, name) === undefined) {
      await user.create(service, {
        metadata: { name, namespace: home },
        spec: { selector: labels, ports: [{ port: 80 }] },
      });
    }
    return `create ${name} with ${replicas} pods, ${JSON.stringify(strategy)}`;
  }
  const drawn = random.next();
  if (drawn < 0.08) {
    await user.remove(deployment, name);
    return `delete ${name}`;
  }
  if (drawn < 0.5) {
    const replicas = Math.floor(random.next() * 8);
    await user.change(deployment, name, (one) => ({ ...one, spec: { ...one.spec, replicas } }));
    return `scale ${name} to ${replicas}`;
  }
  const image = `app:${Math.floor(random.next() * 5)}`;
  await user.change(deployment, name, (one) => {
    const [first] = one.spec.template.spec.containers;
    const spec = { ...one.spec.template.spec, containers: [{ ...first, image }] };
    return { ...one, spec: { ...one.spec, template: { ...one.spec.template, spec } } };
  });
  return `update ${name} to ${image}`;
}

async function mishap(world: World): Promise<string> {
  const { services, machines, random } = world;
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T; // Not empty.
  const one: Service = pick(services);
  const drawn = random.next();
  const pauseMs = Math.floor(random.next() * 3_000);
  if (drawn < 0.5) {
    one.kill();
    await world.sleep(pauseMs);
    one.start();
    return `kill ${one.name}, start it after ${pauseMs} ms`;
  }
  if (drawn < 0.65) {
    await one.stop();
    one.start();
    return `restart ${one.name}`;
  }
  if (drawn < 0.85) {
    one.connect(false);
    await world.sleep(pauseMs * 2);
    one.connect(true);
    return `cut off ${one.name} for ${pauseMs * 2} ms`;
  }
  const victim = pick(machines);
  const agent = services.find(({ name }) => name === `agent-${victim.name}`);
  agent?.kill();
  victim.cutPower();
  await world.sleep(pauseMs * 4);
  agent?.start();
  return `cut the power of ${victim.name} for ${pauseMs * 4} ms`;
}
