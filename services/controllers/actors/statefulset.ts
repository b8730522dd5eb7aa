import {
  controllerRevision,
  type ControllerRevision,
} from "../../../libs/model/kinds/controllerrevision.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { statefulSet, type StatefulSet } from "../../../libs/model/kinds/statefulset.ts";
import { podsOf } from "../../../libs/model/rollout.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  controller,
  create,
  type Decision,
  type EventNote,
  normal,
  remove,
  update,
  warning,
  type Write,
} from "../controller.ts";
import {
  claimName,
  identified,
  memberPod,
  ordinalOf,
  startOf,
  revisionNameOf,
} from "./statefulset/identity.ts";
import { statusOf } from "./statefulset/status.ts";
import { type Place, storageOf } from "./statefulset/storage.ts";
import { type Member, nextStep, type Step, type Wanted } from "./statefulset/step.ts";
import { concerns, readWorld, type World } from "./statefulset/world.ts";
import { claims } from "./workload/claims.ts";
import { expiredRevisions, type History, historyOf, templateAt } from "./workload/history.ts";
import { isTerminal } from "../../../libs/model/pod/state.ts";
import { availableAtMs, type PlacedPod } from "./workload/pod-state.ts";
import { refusedSome } from "./workload/refused.ts";

/** Bounds one transaction. The pods that it touches wake the actor for the rest. */
const deletesMax = 100;
const claimsMax = 100;

type Child = Pod | ControllerRevision | PersistentVolumeClaim;
type StatefulSetDecision = Decision<Child, StatefulSet>;

/**
 * Takes the next step towards as many pods as wanted, of the template's revision. A pod's name is its
 * key, so no two can have one; and a name is free only when its pod's containers are known to be gone
 * (O6), or its node is (O7). The order of steps and the number of pods missing at once are kept by
 * writing the StatefulSet itself with every step (S2): names alone would not keep two turns apart.
 */
export function decide(self: StatefulSet, world: World, now: EpochMs): StatefulSetDecision {
  const history = historyOf(self, world.revisions);
  const mine = claimed(self, world.pods);
  const members = mine.pods.map((one) => memberOf(self, one, history.update.name, now));
  const current = currentRevision(self, history);
  const status = statusOf(self, members, { current, update: history.update.name });
  const wakeAt = nextAvailableAt(self, members, now);
  if (self.metadata.deletionTimestamp !== undefined) {
    return { writes: [], status: self.status && { ...self.status, ...status }, wakeAt, events: [] };
  }
  if (history.collided) {
    const collisionCount = (self.status?.collisionCount ?? 0) + 1;
    return { writes: [], status: { ...status, collisionCount }, wakeAt, events: [] };
  }
  const labelled = new Map(mine.writes.map((write) => [write.object.metadata.name, write]));
  const wanted = wantedOf(self, world.pods, members);
  const next = nextStep(members, wanted);
  const empty = next.creates.map((ordinal) => placeOf(wanted, ordinal, undefined));
  const fresh = storageOf(self, empty, world.claims);
  const ready = next.creates.filter((ordinal) => !fresh.stale.has(ordinal));
  const step = bounded({ ...next, creates: ready }, labelled);
  const storage = [
    ...fresh.writes,
    // A pod that goes leaves no claim behind that was to go with it.
    ...storageOf(self, placesOf(step.deletes, wanted), world.claims).writes,
    ...storageOf(
      self,
      placesOf(
        members.filter((one) => !step.deletes.includes(one)),
        wanted,
      ),
      world.claims,
    ).writes.slice(0, claimsMax),
  ];
  const born = step.creates.map((ordinal) => {
    const old = isKeptBack(self, ordinal) ? revisionNamed(history, current) : undefined;
    const template = old && templateAt(old);
    return memberPod(
      self,
      ordinal,
      template === undefined
        ? { name: history.update.name, template: self.spec.template }
        : { name: current, template },
    );
  });
  const kept = new Set([
    history.update.name,
    status.currentRevision,
    ...members.map(({ placed: { pod } }) => revisionNameOf(pod)),
  ]);
  const limit = self.spec.revisionHistoryLimit;
  return {
    writes: [
      ...history.writes,
      ...labelled.values(),
      ...storage,
      ...step.deletes.map(({ placed: { pod } }) => remove(pod)),
      ...born.map(create),
      ...expiredRevisions(history, ({ metadata }) => kept.has(metadata.name), limit),
    ],
    status,
    wakeAt,
    events: [
      ...storage.flatMap((write) => claimNotes(self, write)),
      ...step.deletes.flatMap((one) => deleteNotes(self, one)),
      ...born.map(({ metadata }) =>
        normal("SuccessfulCreate", note(self, "create", metadata.name)),
      ),
    ],
  };
}

/** Its pods with their labels, and the writes that make them so. */
function claimed(
  self: StatefulSet,
  pods: readonly PlacedPod[],
): {
  readonly pods: readonly PlacedPod[];
  readonly writes: readonly (Write<Pod> & { readonly op: "update" })[];
} {
  const named = pods.filter((one) => ordinalOf(self, one.pod) !== undefined);
  const { owned, writes } = claims(
    self,
    self.spec.selector,
    named.map((one) => one.pod),
  );
  const released = writes.filter((write) => !owned.some((one) => one === write.object));
  const before = new Map(named.map((one) => [one.pod.metadata.name, one]));
  const kept = owned.flatMap((one) => {
    const known = before.get(one.metadata.name);
    const pod = identified(one, ordinalOf(self, one) ?? 0);
    return known === undefined ? [] : [{ known, placed: { ...known, pod } }];
  });
  const changed = kept.filter((one) => one.placed.pod !== one.known.pod);
  return {
    pods: kept.map((one) => one.placed),
    writes: [
      ...released.flatMap((write) => (write.op === "update" ? [write] : [])),
      ...changed.map((one) => update(one.placed.pod)),
    ],
  };
}

function memberOf(self: StatefulSet, one: PlacedPod, revision: string, now: EpochMs): Member {
  const at = availableAtMs(one, self.spec.minReadySeconds);
  return {
    ordinal: ordinalOf(self, one.pod) ?? 0,
    placed: one,
    updated: revisionNameOf(one.pod) === revision,
    staying: one.pod.metadata.deletionTimestamp === undefined,
    over: isTerminal(one.pod),
    available: at !== undefined && at <= now,
  };
}

function wantedOf(
  self: StatefulSet,
  pods: readonly PlacedPod[],
  members: readonly Member[],
): Wanted {
  const { spec } = self;
  const { type, rollingUpdate } = spec.updateStrategy;
  const own = new Set(members.map(({ ordinal }) => ordinal));
  const named = pods.flatMap(({ pod }) => ordinalOf(self, pod) ?? []);
  const missing = Math.ceil(podsOf(rollingUpdate?.maxUnavailable ?? 1, spec.replicas));
  return {
    start: startOf(self),
    replicas: spec.replicas,
    ordered: spec.podManagementPolicy === "OrderedReady",
    rolling:
      type === "RollingUpdate"
        ? { partition: rollingUpdate?.partition ?? 0, maxUnavailable: Math.max(missing, 1) }
        : undefined,
    occupied: new Set(named.filter((ordinal) => !own.has(ordinal))),
  };
}

const placesOf = (members: readonly Member[], wanted: Wanted): readonly Place[] =>
  members.map((one) => placeOf(wanted, one.ordinal, one.placed.pod));

function placeOf({ start, replicas }: Wanted, ordinal: number, there: Pod | undefined): Place {
  const condemned = ordinal < start || ordinal >= start + replicas;
  return { ordinal, uid: there?.metadata.uid, condemned };
}

/** Below the partition a pod is made at the current revision. */
function isKeptBack(self: StatefulSet, ordinal: number): boolean {
  const { type, rollingUpdate } = self.spec.updateStrategy;
  return type === "RollingUpdate" && ordinal - startOf(self) < (rollingUpdate?.partition ?? 0);
}

const revisionNamed = ({ all }: History, name: string) =>
  all.find(({ metadata }) => metadata.name === name);

/** The one that the status names, as long as it is kept. */
function currentRevision({ status }: StatefulSet, history: History): string {
  const name = status?.currentRevision ?? "";
  return revisionNamed(history, name) === undefined ? history.update.name : name;
}

function nextAvailableAt(
  { spec }: StatefulSet,
  members: readonly Member[],
  now: EpochMs,
): EpochMs | undefined {
  const pending = members
    .flatMap(({ placed }) => availableAtMs(placed, spec.minReadySeconds) ?? [])
    .filter((at) => at > now);
  return pending.length > 0 ? Math.min(...pending) : undefined;
}

/** What is labelled in this turn is ended in the next: one write a key. */
function bounded({ creates, deletes }: Step, labelled: ReadonlyMap<string, unknown>): Step {
  const ending = deletes.filter(({ placed: { pod } }) => !labelled.has(pod.metadata.name));
  return { creates, deletes: ending.slice(0, deletesMax) };
}

function deleteNotes(self: StatefulSet, { over, placed: { pod } }: Member): readonly EventNote[] {
  const { namespace, name } = self.metadata;
  const failed = `StatefulSet ${namespace}/${name} is recreating failed Pod ${pod.metadata.name}`;
  return [
    ...(over ? [warning("RecreatingFailedPod", failed)] : []),
    normal("SuccessfulDelete", note(self, "delete", pod.metadata.name)),
  ];
}

function claimNotes(
  { metadata, spec }: StatefulSet,
  write: Write<PersistentVolumeClaim>,
): readonly EventNote[] {
  if (write.op !== "create") return [];
  const { name } = write.object.metadata;
  const templates = (spec.volumeClaimTemplates ?? []).map((one) => one.metadata.name ?? "");
  const template = templates.find((one) => name.startsWith(claimName(one, `${metadata.name}-`)));
  const pod = name.slice((template?.length ?? 0) + 1);
  const made = `create Claim ${name} Pod ${pod} in StatefulSet ${metadata.name} success`;
  return [normal("SuccessfulCreate", made)];
}

const note = ({ metadata }: StatefulSet, verb: string, name: string) =>
  `${verb} Pod ${name} in StatefulSet ${metadata.name} successful`;

export const statefulSets = controller<
  typeof statefulSet,
  typeof pod | typeof controllerRevision | typeof persistentVolumeClaim,
  World
>({
  kind: statefulSet,
  owns: [pod, controllerRevision, persistentVolumeClaim],
  read: readWorld,
  decide,
  refused: refusedSome,
  concerns,
});
