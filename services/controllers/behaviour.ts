/** Makes an actor's behaviour of a controller: its writes go through admission, as one transaction. */
import type { Behaviour, Turn } from "../../libs/actor/behaviour.ts";
import {
  admitCreate,
  admitDelete,
  admitRemove,
  admitStatus,
  admitUpdate,
} from "../../libs/admission/admit.ts";
import type { AdmissionContext, Admitted } from "../../libs/admission/context.ts";
import { quotaLedger, type QuotaLedger } from "../../libs/admission/quota/ledger.ts";
import { together, transactionOf } from "../../libs/admission/transaction.ts";
import { keyOf, parseKey, resourceOf } from "../../libs/cluster/key.ts";
import type { EventFacts, RecordEvent } from "../../libs/cluster/record-event.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { ApiError } from "../../libs/model/errors.ts";
import { apiVersionOf, type Kind } from "../../libs/model/kind.ts";
import { namespace as namespaceKind } from "../../libs/model/kinds/namespace.ts";
import type { Change } from "../../libs/store/replica.ts";
import type { Op } from "../../libs/store/store.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import type { AdmissionHooks } from "../../libs/webhooks/admission-hooks.ts";
import { type Answers, type Interview, judgedOps, settled } from "./asking.ts";
import { memoriesOf, type Memories } from "./memories.ts";
import { behaviourOfMany } from "./behaviour-of-many.ts";
import {
  actorName,
  type Controller,
  type ControllerOfMany,
  type EventNote,
  type ObjectChange,
  type Refusal,
  type StoredObject,
  type Surroundings,
  warning,
  type Write,
} from "./controller.ts";

/** Objects of a controller of which an instance remembers something; of more the oldest are forgotten. */
const memoriesMax = 50_000;

export type BehaviourPorts = Surroundings & {
  /** To name the object that a failure is shown on. */
  readonly view: ClusterView;
  readonly random: Random;
  readonly record: RecordEvent;
  /** Webhooks and policies; absent: there are none. */
  readonly hooks?: AdmissionHooks | undefined;
};

/** @throws {ApiError} from a turn, when admission refuses what it would write: the runtime retries */
export function behaviourOf(
  controller: Controller | ControllerOfMany,
  ports: BehaviourPorts,
): Behaviour<ClusterView, Change<unknown>> {
  if ("of" in controller)
    return behaviourOfMany(controller, { make: (one) => behaviourOf(one, ports), read });
  const { kind, missing } = controller;
  const address = controller.name ?? kind.plural;
  const concerns = concernsOf(controller);
  const memories = memoriesOf(memoriesMax);
  return {
    kind: address,
    concerns,
    *all(view) {
      for (const object of view.list(kind)) yield actorName(loose(object).metadata);
      yield* missing?.names ?? [];
    },
    failed(name, { error }) {
      const [namespace, own] = splitName(kind, name);
      const self = ports.view.get(kind, namespace, own);
      if (self === undefined) return;
      // A refusal is meant to be read; what else went wrong may quote a Secret, and is in the log.
      const message = error instanceof ApiError ? error.message : "failed, and will be tried again";
      ports.record(factsOf(kind, loose(self), warning("ReconcileFailed", message)));
    },
    turn(name, view, now) {
      const [namespace, own] = splitName(kind, name);
      const context = { view, now, random: ports.random, settings: ports.settings };
      const self = view.get(kind, namespace, own);
      if (self !== undefined) {
        const { hooks } = ports;
        if (hooks === undefined || hooks.idle)
          return turnOf(controller, { ...ports, memories }, loose(self), context);
        return askedTurn(hooks, context, (interview, at) => {
          const found = at.view.get(kind, namespace, own);
          if (found === undefined) return undefined;
          return turnOf(controller, { ...ports, memories }, loose(found), at, interview);
        });
      }
      memories.delete(name);
      const made = missing?.make(own, view, ports);
      if (made === undefined) return undefined;
      return {
        ops: admitCreate(kind, made, context).ops,
        wakeAt: undefined,
        cut: view.revision,
      };
    },
  };
}

/** A turn that may have to ask about what it writes; it decides again with the answers. */
function askedTurn(
  hooks: AdmissionHooks,
  context: AdmissionContext,
  turn: (interview: Interview, context: AdmissionContext) => Turn | undefined,
): Turn | undefined {
  const decide = (answers: Answers, now: number) => {
    const interview: Interview = { hooks, answers, open: [] };
    return { turn: turn(interview, { ...context, now }), open: interview.open };
  };
  const first = decide(new Map(), context.now);
  if (first.open.length === 0) return first.turn;
  const { revision: cut } = context.view;
  return { ops: [], wakeAt: undefined, cut, asks: (around) => settled(decide, around) };
}

function turnOf(
  controller: Controller,
  { memories, ...ports }: BehaviourPorts & { readonly memories: Memories },
  self: StoredObject & { readonly status?: unknown },
  context: AdmissionContext,
  interview?: Interview,
): Turn | undefined {
  const { view, now } = context;
  // `self` is an object of the controller's kind: it was read as one.
  const name = actorName(self.metadata);
  const remembered = memories.get(name);
  const world = controller.read(view, self, { ...ports, now, remembered });
  const decided = controller.decide(self, world, now);
  const ledger = quotaLedger(view);
  const { children, refusals } = admitted(controller, decided, { ledger, interview }, context);
  const decision =
    refusals.length === 0
      ? decided
      : (controller.refused?.(self, decided, refusals, { now, remembered }) ?? decided);
  if (decision.remember !== undefined) memories.set(name, decision.remember);
  const own = ownOps(controller, self, decision, context, interview);
  ledger.charge(own);
  // S2: whoever writes anything writes its own object too, unless names alone keep turns apart.
  const touch = own.length === 0 && children.length > 0 && controller.derivedNames !== true;
  const touched = touch ? touchOps(controller.kind, self, view) : own;
  const ops = together([children, touched, ledger.ops()]);
  const turn = { ops, wakeAt: decision.wakeAt, cut: view.revision };
  // What was to be written and was not (O5) is no news; that it was refused is.
  const dropped =
    ops.length === 0 &&
    refusals.length === 0 &&
    (decision.writes.length > 0 || decision.self !== undefined);
  if (dropped || decision.events.length === 0) return turn;
  return {
    ...turn,
    committed: () => {
      for (const note of decision.events) ports.record(factsOf(controller.kind, self, note));
    },
  };
}

/**
 * The transactions of a decision's writes that admission and the quotas of the namespace allow.
 *
 * @throws {ApiError} when one is refused and the controller does not say what follows from that
 */
function admitted(
  controller: Controller,
  { writes }: { readonly writes: readonly Write<unknown>[] },
  {
    ledger,
    interview,
  }: { readonly ledger: QuotaLedger; readonly interview: Interview | undefined },
  context: AdmissionContext,
): { readonly children: readonly Op[]; readonly refusals: readonly Refusal[] } {
  const refusals: Refusal[] = [];
  const children = writes.flatMap((write) => {
    try {
      const ops = childOps(controller, write, context, interview);
      ledger.charge(ops);
      return ops;
    } catch (error) {
      const isTold = controller.refused !== undefined && write.op === "create";
      if (!isTold || !(error instanceof ApiError)) throw error;
      refusals.push({ name: loose(write.object).metadata.name ?? "", error });
      return [];
    }
  });
  return { children, refusals };
}

/** The transaction of one write; none when it would change nothing. */
function childOps(
  { owns, alsoOwns }: Controller,
  write: Write<unknown>,
  context: AdmissionContext,
  interview: Interview | undefined,
): readonly Op[] {
  const object = loose(write.object);
  const { namespace, name = "" } = object.metadata;
  const kind = kindOf(owns, object) ?? kindOf(alsoOwns?.(context.view) ?? [], object);
  if (kind === undefined) throw new TypeError(`the controller does not own ${object.kind}`);
  const about = { kind, namespace, name, input: object };
  if (write.op === "create") {
    // An object in a namespace that ends would be refused, and its owner goes soon too (O5).
    if (isEnding(context.view, namespace)) return [];
    const create = { ...about, operation: "CREATE", before: undefined } as const;
    return judgedOps(create, interview, (input) => admitCreate(kind, input, context));
  }
  const before = context.view.get(kind, namespace, name);
  if (before === undefined) return [];
  switch (write.op) {
    case "update":
      return judgedOps({ ...about, operation: "UPDATE", before }, interview, (input) =>
        admitUpdate(kind, before, input, context),
      );
    case "touch":
      return touchOps(kind, loose(before), context.view);
    case "delete":
      return judgedOps({ ...about, operation: "DELETE", before }, interview, () =>
        admitDelete(kind, before, write.options, context),
      );
    case "remove":
      return admitRemove(kind, before, context).ops;
    default:
      return write satisfies never;
  }
}

/** What a turn writes of its own object: metadata and spec, and status, in one put (S10). */
function ownOps(
  { kind }: Controller,
  self: StoredObject & { readonly status?: unknown },
  decision: { readonly status: unknown; readonly self?: Write<unknown> | undefined },
  context: AdmissionContext,
  interview: Interview | undefined,
): readonly Op[] {
  const { view } = context;
  const change = decision.self;
  const { namespace, name = "" } = self.metadata;
  const about = { kind, namespace, name, before: self };
  if (change?.op === "delete") {
    return judgedOps({ ...about, operation: "DELETE", input: self }, interview, () =>
      admitDelete(kind, self as never, change.options, context),
    );
  }
  if (change?.op === "remove") return admitRemove(kind, self as never, context).ops;
  const statusOf = (updated: Admitted<unknown> | undefined) => {
    if (decision.status === self.status) return updated;
    const between = updated?.object ?? self;
    const admitted = admitStatus(kind, between, decision.status, context);
    if (admitted === undefined) return updated;
    const ops = transactionOf(kind, self as never, loose(admitted.object), view);
    return { object: admitted.object, ops };
  };
  if (change?.op !== "update") return statusOf(undefined)?.ops ?? [];
  const ownKey = keyOf(kind, namespace, name);
  return judgedOps({ ...about, operation: "UPDATE", input: change.object }, interview, (input) => {
    const updated = admitUpdate(kind, self as never, input, context);
    const ends = updated?.ops.some(({ key, op }) => key === ownKey && op === "delete") ?? false;
    return ends ? updated : statusOf(updated);
  });
}

/** Puts the object as it is, so that no other turn decided at its revision commits (S2). */
const touchOps = (kind: Kind, self: StoredObject, view: ClusterView): readonly Op[] =>
  transactionOf(kind, self, self, view);

/** Itself, the owners of what it owns, and what the controller adds. */
function concernsOf({ kind, owns, concerns, missing, ownedWakeOwners = true }: Controller) {
  const resource = resourceOf(kind);
  const owned = new Set(ownedWakeOwners ? owns.map(resourceOf) : []);
  return function* (change: Change<unknown>, view: ClusterView): Iterable<string> {
    const { changed, namespace, name, sides } = read(change);
    if (changed === resource) yield actorName({ namespace, name });
    if (sides.before === undefined && sides.after === undefined) return;
    if (owned.has(changed)) {
      for (const side of [sides.before, sides.after]) yield* ownersIn(side, kind);
    }
    if (concerns !== undefined) yield* concerns(sides, view);
    if (changed === "namespaces") yield* missing?.names ?? [];
  };
}

type ReadChange = ReturnType<typeof readChange>;
const changesRead = new WeakMap<Change<unknown>, ReadChange>();

/** What a change is of: read once, for every controller asks. */
function read(change: Change<unknown>): ReadChange {
  const known = changesRead.get(change) ?? readChange(change);
  changesRead.set(change, known);
  return known;
}

function readChange({ key, before, after }: Change<unknown>) {
  const { resource: changed, namespace, name } = parseKey(key);
  const sides: ObjectChange = {
    before: storedObject(before?.value),
    after: storedObject(after?.value),
  };
  return { changed, namespace, name, sides };
}

function* ownersIn(object: StoredObject | undefined, kind: Kind): Iterable<string> {
  for (const owner of object?.metadata.ownerReferences ?? []) {
    if (owner.kind !== kind.kind) continue;
    const namespace = kind.namespaced ? object?.metadata.namespace : undefined;
    yield actorName({ namespace, name: owner.name });
  }
}

/** A custom resource's objects are stored in any of its versions: their group says whose they are. */
function kindOf(owns: readonly Kind[], { apiVersion, kind }: StoredObject): Kind | undefined {
  return owns.find(
    (one) =>
      one.kind === kind &&
      (one.custom === undefined
        ? apiVersionOf(one) === apiVersion
        : one.group === apiVersion.split("/")[0]),
  );
}

const isEnding = (view: ClusterView, namespace: string | undefined): boolean =>
  namespace !== undefined &&
  view.get(namespaceKind, undefined, namespace)?.metadata.deletionTimestamp !== undefined;

function splitName(kind: Kind, name: string): readonly [string | undefined, string] {
  if (!kind.namespaced) return [undefined, name];
  const [namespace = "", own = ""] = name.split("/");
  return [namespace, own];
}

function factsOf({ kind }: Kind, self: StoredObject, note: EventNote): EventFacts {
  const { apiVersion, metadata } = self;
  const { namespace, name = "", uid, resourceVersion } = metadata;
  return {
    ...note,
    source: { component: `${kind.toLowerCase()}-controller` },
    involved: { apiVersion, kind, namespace, name, uid, resourceVersion: resourceVersion },
  };
}

function storedObject(value: unknown): StoredObject | undefined {
  if (typeof value !== "object" || value === null || !("metadata" in value)) return undefined;
  return value as StoredObject; // What has metadata was written through admission.
}

const loose = (object: unknown) => object as StoredObject; // As above.
