/** A user of a simulated cluster: writes through admission at a gateway, until it is accepted. */
import {
  admitCreate,
  admitDelete,
  admitStatus,
  admitUpdate,
  type DeleteOptions,
} from "../../libs/admission/admit.ts";
import { admitPodPart } from "../../libs/admission/admit-part.ts";
import type { AdmissionContext, Admitted } from "../../libs/admission/context.ts";
import { admitEvict } from "../../libs/admission/evict.ts";
import { chargedOps } from "../../libs/admission/quota/ledger.ts";
import type { Cluster } from "../../libs/cluster/open.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { ApiError, parse } from "../../libs/model/errors.ts";
import type { Kind, ObjectOf } from "../../libs/model/kind.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { ReplicaLagging } from "../../libs/store/replica.ts";
import { StoreUnavailable } from "../../libs/store/store.ts";
import type { Clock, EpochMs } from "../../libs/telemetry/clock.ts";
import type { Random } from "../../libs/telemetry/random.ts";

type Manifest = { readonly metadata: { readonly name: string; readonly namespace?: string } };

export type User = {
  create(kind: Kind, manifest: Manifest): Promise<void>;
  /** Creates it; where it is, changes it. */
  apply<K extends Kind>(
    kind: K,
    manifest: Manifest,
    edit: (object: ObjectOf<K>) => object,
  ): Promise<void>;
  /** Changes spec and metadata; an object that is not there stays so. */
  change<K extends Kind>(
    kind: K,
    of: Manifest["metadata"],
    edit: (object: ObjectOf<K>) => object,
  ): Promise<void>;
  /** Changes the status to what `edit` gives; an object that is not there stays so. */
  changeStatus<K extends Kind>(
    kind: K,
    of: Manifest["metadata"],
    edit: (object: ObjectOf<K>) => object,
  ): Promise<void>;
  remove(kind: Kind, of: Manifest["metadata"], options?: DeleteOptions): Promise<void>;
  /** Through the pod's budget; what that does not permit is not done. */
  evict(of: Manifest["metadata"]): Promise<void>;
  /** Gives each container of a pod so much cpu; one that is not there stays so. */
  resize(of: Manifest["metadata"], cpu: string): Promise<void>;
  /** What passes between two of its acts, and the time on its own clock. */
  sleep(ms: number): Promise<void>;
  now(): EpochMs;
  /** Resolves once the gateway shows all that was written before, as a list of a real one waits for. */
  shown(): Promise<void>;
  /** What the gateway shows now; nothing while it is down. */
  list<K extends Kind>(kind: K): readonly ObjectOf<K>[];
};

const attemptsMax = 300;
const pauseMs = 100;
export const home = "default";

/** Why a gateway may refuse what was right when the user began. */
const passing = new Set(["AlreadyExists", "NotFound", "Conflict", "Forbidden", "TooManyRequests"]);

/** @param gateway the one that answers now, if one does */
export function user(gateway: () => Cluster | undefined, clock: Clock, random: Random): User {
  async function write(
    admit: (view: ClusterView, context: AdmissionContext) => Admitted<unknown> | undefined,
  ): Promise<void> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const cluster = gateway();
      const outcome = cluster && (await attemptAt(cluster, admit));
      if (outcome === "done") return;
      await clock.sleep(pauseMs);
    }
    throw new Error("no attempt was accepted");
  }

  async function attemptAt(
    { store, replica, view, settings }: Cluster,
    admit: Parameters<typeof write>[0],
  ): Promise<"done" | "again"> {
    try {
      const admitted = admit(view, { view, now: clock.now(), random, settings });
      if (admitted === undefined || admitted.ops.length === 0) return "done";
      const ops = chargedOps(admitted.ops, view);
      const outcome = await store.commit(ops, { cut: view.revision });
      await replica.caughtUp(outcome.revision ?? (await store.lastRevision()));
      return outcome.ok ? "done" : "again";
    } catch (error) {
      if (error instanceof ApiError && passing.has(error.reason)) return "done";
      if (error instanceof StoreUnavailable || error instanceof ReplicaLagging) return "again";
      throw error;
    }
  }

  const find = <K extends Kind>(
    view: ClusterView,
    kind: K,
    { name, namespace }: Manifest["metadata"],
  ) => view.get(kind, kind.namespaced ? namespace : undefined, name);
  const changed = <K extends Kind>(
    kind: K,
    before: ObjectOf<K>,
    edit: (object: ObjectOf<K>) => object,
    context: AdmissionContext,
  ) => admitUpdate(kind, before, parse(kind, edit(before)), context);

  return {
    create: (kind, manifest) =>
      write((_, context) => admitCreate(kind, parse(kind, manifest), context)),
    apply: (kind, manifest, edit) =>
      write((view, context) => {
        const before = find(view, kind, manifest.metadata);
        return before === undefined
          ? admitCreate(kind, parse(kind, manifest), context)
          : changed(kind, before, edit, context);
      }),
    change: (kind, of, edit) =>
      write((view, context) => {
        const before = find(view, kind, of);
        return before && changed(kind, before, edit, context);
      }),
    changeStatus: (kind, of, edit) =>
      write((view, context) => {
        const before = find(view, kind, of);
        return before && admitStatus(kind, before, edit(before), context);
      }),
    remove: (kind, of, options = {}) =>
      write((view, context) => {
        const before = find(view, kind, of);
        return before === undefined ? undefined : admitDelete(kind, before, options, context);
      }),
    evict: (of) =>
      write((view, context) => {
        const before = find(view, podKind, of);
        return before === undefined ? undefined : admitEvict(before, {}, context);
      }),
    resize: (of, cpu) =>
      write((view, context) => {
        const before = find(view, podKind, of);
        if (before === undefined) return undefined;
        const containers = before.spec.containers.map((one) => ({
          ...one,
          resources: { requests: { cpu } },
        }));
        const wanted = { ...before, spec: { ...before.spec, containers } };
        return admitPodPart("resize", before, wanted, context);
      }),
    sleep: (ms) => clock.sleep(ms),
    now: () => clock.now(),
    async shown() {
      for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
        const cluster = gateway();
        try {
          if (cluster !== undefined) {
            await cluster.replica.caughtUp(await cluster.store.lastRevision());
            return;
          }
        } catch (error) {
          if (!(error instanceof StoreUnavailable || error instanceof ReplicaLagging)) throw error;
        }
        await clock.sleep(pauseMs);
      }
      throw new Error("the gateway shows nothing");
    },
    list: (kind) => gateway()?.view.list(kind) ?? [],
  };
}
