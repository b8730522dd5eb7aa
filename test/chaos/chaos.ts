/**
 * Real processes are killed at a pace while users change Deployments; then the cluster's own record
 * is judged, revision by revision, by the invariants that the simulation is judged by.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { prefixOf } from "../../libs/cluster/key.ts";
import { deployment } from "../../libs/model/kinds/deployment.ts";
import type { Entry, Revision, Store } from "../../libs/store/store.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import type { Child } from "../../scripts/supervisor/child.ts";
import { eventually, type TestCluster } from "../cluster.ts";
import { storeOf, testPorts, withoutGap } from "../recorded-pods.ts";
import { allInvariants, type Invariant, judge, type Scene } from "../sim/invariant.ts";
import { churn, type ChurnReport } from "./churn.ts";

export type ChaosOptions = {
  readonly seconds: number;
  /** Between two kills of a controllers instance or a scheduler. */
  readonly killEveryMs: number;
  /** Between two kills of a nats-server; never without it. */
  readonly natsEveryMs?: number | undefined;
  readonly deployments: number;
  readonly actEveryMs: number;
};

export type ChaosReport = {
  readonly actions: ChurnReport;
  /** By process. */
  readonly kills: Readonly<Record<string, number>>;
  readonly revisions: number;
  /** Deletions whose object's last revisions the record does not have. */
  readonly hidden: number;
  /** Revisions at which some object's state is not known for that. */
  readonly unjudged: number;
  /** From the last kill to the last revision that followed. */
  readonly convergedMs: number;
  /** What the record says was wrong, at most ten. */
  readonly broken: readonly string[];
};

const namespace = "chaos";
/** Users stop so long before the kills may end. */
const usersStopMs = 6_000;
/** And the kills go on for as long as the engine works off what was asked for, at most. */
const backlogMaxMs = 120_000;
/** Nothing is written for so long: the cluster is at rest. */
const restMs = 3_000;
const restMaxMs = 120_000;

export async function chaos(
  cluster: TestCluster,
  random: Random,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { seconds, killEveryMs, natsEveryMs, deployments, actEveryMs: everyMs } = options;
  await using bus = await natsBus({ url: cluster.natsUrl, name: "chaos", ...testPorts });
  await using store = await storeOf(cluster);
  await cluster.kubectl(["create", "namespace", namespace]);
  const from = await store.lastRevision();
  const unwatch = new AbortController();
  const watching = watchRevisions(store, from, unwatch.signal);
  const kills: Record<string, number> = {};
  const killed = (victim: Child) => {
    victim.kill();
    kills[victim.name] = (kills[victim.name] ?? 0) + 1;
  };
  const isNats = ({ name }: Child) => name.startsWith("nats");
  const all = [...cluster.processes.values()];
  const planned = all.filter(({ name }) => /^(controllers|scheduler)-/.test(name));

  const usersStop = AbortSignal.timeout(Math.max(seconds * 1_000 - usersStopMs, 1_000));
  const users = churn(bus, random, { namespace, deployments, everyMs, signal: usersStop });
  const endMs = performance.now() + seconds * 1_000;
  const lastEndMs = endMs + backlogMaxMs;
  let mayEnd = false;
  const goesOn = (atMs: number) => atMs < endMs || (!mayEnd && atMs < lastEndMs);
  const killing = async (victims: readonly Child[], paceMs: number): Promise<number> => {
    let lastMs = Date.now();
    while (goesOn(performance.now() + paceMs)) {
      await sleep(paceMs); // The pace of the kills.
      const living = victims.filter((one) => one.pid() !== undefined);
      const victim = living[Math.floor(random.next() * living.length)];
      if (victim === undefined) continue;
      killed(victim);
      lastMs = Date.now();
    }
    return lastMs;
  };
  const lastKill = async (): Promise<number> => {
    const [some] = (await listDeployments(cluster)).toSorted(
      (a, b) => a.spec.replicas - b.spec.replicas,
    );
    for (const kind of ["controllers-", "scheduler-"]) {
      const victim = planned.find((one) => one.name.startsWith(kind) && one.pid() !== undefined);
      if (victim !== undefined) killed(victim);
    }
    const lastMs = Date.now();
    if (some === undefined) throw new Error("no Deployment is left for the last kill");
    const more = `--replicas=${some.spec.replicas + 1}`;
    await cluster.kubectl(["-n", namespace, "scale", "deployment", some.metadata.name, more]);
    return lastMs;
  };
  // How fast an engine starts containers is no property of the cluster: it has its time under the kills.
  const catchUp = async (): Promise<void> => {
    try {
      await users;
      await eventually("the engine has caught up", () => workedOff(cluster), backlogMaxMs);
    } finally {
      mayEnd = true;
    }
  };
  const [lasts] = await Promise.all([
    Promise.all([
      killing(planned, killEveryMs),
      ...(natsEveryMs === undefined ? [] : [killing(all.filter(isNats), natsEveryMs)]),
    ]),
    catchUp(),
  ]);
  const actions = await users;
  // The last one has something left to do: a pod more or less, which any engine has in time.
  lasts.push(await lastKill());

  await eventually("every Deployment is complete", () => complete(cluster), restMaxMs);
  await eventually(
    "the cluster is at rest",
    async () => {
      const before = await store.lastRevision();
      await sleep(restMs); // Rest is what does not happen in a while.
      if ((await store.lastRevision()) !== before) throw new Error("not yet");
    },
    restMaxMs,
  );

  unwatch.abort();
  const record = await judgedRecord(
    await recordWith(store, await watching),
    natsEveryMs !== undefined,
  );
  const since = record.storedAtMs.filter(({ revision }) => revision > from);
  const convergedMs = Math.max((since.at(-1)?.atMs ?? 0) - Math.max(...lasts), 0);
  const { hidden, unjudged, broken } = record;
  return { actions, kills, revisions: since.length, hidden, unjudged, convergedMs, broken };
}

/**
 * What the cluster's record has, and what a feed saw. With several servers either misses what a
 * deletion rolls up while nobody leads its stream; they seldom miss the same.
 */
async function recordWith(
  store: Store,
  seen: ReadonlyMap<Revision, Entry>,
): Promise<readonly Entry[]> {
  const upTo = await store.lastRevision();
  const record = new Map(seen);
  for await (const entry of store.history({ after: 0, upTo })) record.set(entry.revision, entry);
  return [...record.values()].toSorted((a, b) => a.revision - b.revision);
}

/** Every revision that comes, until `signal` aborts. */
async function watchRevisions(
  store: Store,
  after: Revision,
  signal: AbortSignal,
): Promise<ReadonlyMap<Revision, Entry>> {
  const seen = new Map<Revision, Entry>();
  for await (const item of store.feed({ after, signal })) {
    if (item.type === "entry") seen.set(item.entry.revision, item.entry);
  }
  return seen;
}

/**
 * Judges every revision of the record.
 *
 * @param mayHide streams were without a leader at times: while the state of one object is not known,
 * what the rest looks like is no proof
 */
async function judgedRecord(record: readonly Entry[], mayHide: boolean) {
  const judged = judge(await invariantsOfState(), unseen);
  const wrong: { readonly revision: Revision; readonly what: string }[] = [];
  const unknown: { readonly after: Revision; readonly until: Revision }[] = [];
  const storedAtMs: { readonly revision: Revision; readonly atMs: number }[] = [];
  const onHidden = ({ revision, previous }: Entry, after: Revision) =>
    // Of one that was never seen: it was made while nobody led the mirror.
    void unknown.push({ after: after === 0 ? previous - 1 : after, until: revision });
  for await (const entry of withoutGap(record, mayHide ? onHidden : undefined)) {
    const { revision, storedAtMs: atMs } = entry;
    storedAtMs.push({ revision, atMs });
    wrong.push(...judged.see(entry).map((what) => ({ revision, what })));
  }
  const isUnknown = ({ revision }: { readonly revision: Revision }) =>
    unknown.some(({ after, until }) => revision > after && revision < until);
  const broken = wrong.filter((one) => !isUnknown(one)).map(({ what }) => what);
  const unjudged = storedAtMs.filter(isUnknown).length;
  return { storedAtMs, hidden: unknown.length, unjudged, broken: broken.slice(0, 10) };
}

/** They look at the machines too, which here nobody watches. */
const ofMachines = new Set([
  "ended-as-it-was",
  "ends-before-keys",
  "one-per-identity",
  "silent-before-lost",
]);

const invariantsOfState = async (): Promise<readonly Invariant[]> =>
  (await allInvariants()).filter(({ name }) => !ofMachines.has(name));

const notSeen = () => {
  throw new Error("nobody watches the machines");
};
const unseen: Scene = {
  runsOn: notSeen,
  hasRun: notSeen,
  heartbeats: notSeen,
  anyHeartbeats: notSeen,
  askedAtMs: notSeen,
  nodes: [],
};

/** Every Deployment is complete, and no pod is being ended. */
async function workedOff(cluster: TestCluster): Promise<void> {
  await complete(cluster);
  const json = await cluster.kubectl(["-n", namespace, "get", "pods", "-o", "json"]);
  const ending = listedPods
    .parse(JSON.parse(json))
    .items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  if (ending.length > 0) throw new Error(`${ending.length} pods are being ended`);
}

const listedPods = z.object({
  items: z.array(z.object({ metadata: z.object({ deletionTimestamp: z.string().optional() }) })),
});
const listed = z.object({ items: z.array(deployment.schema) });

async function listDeployments(cluster: TestCluster) {
  const json = await cluster.kubectl(["-n", namespace, "get", "deployments", "-o", "json"]);
  return listed.parse(JSON.parse(json)).items;
}

async function complete(cluster: TestCluster): Promise<void> {
  for (const { metadata, spec, status } of await listDeployments(cluster)) {
    const isSo =
      status?.observedGeneration === metadata.generation &&
      (status?.updatedReplicas ?? 0) === spec.replicas &&
      (status?.availableReplicas ?? 0) === spec.replicas &&
      (status?.replicas ?? 0) === spec.replicas;
    if (!isSo)
      throw new Error(`${prefixOf(deployment, namespace)}${metadata.name} is not complete`);
  }
}
