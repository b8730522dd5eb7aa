/** The user of a simulated cluster: writes through admission, as a gateway does, until it is accepted. */
import { admitCreate, admitDelete, admitUpdate } from "../../libs/admission/admit.ts";
import type { AdmissionContext, Admitted } from "../../libs/admission/context.ts";
import type { Cluster } from "../../libs/cluster/open.ts";
import { parse } from "../../libs/model/errors.ts";
import type { Kind, ObjectOf } from "../../libs/model/kind.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Random } from "../../libs/telemetry/random.ts";

export type User = {
  create(kind: Kind, manifest: object): Promise<void>;
  /** Changes spec and metadata; an object that is not there stays so. */
  change<K extends Kind>(
    kind: K,
    name: string,
    edit: (object: ObjectOf<K>) => object,
  ): Promise<void>;
  remove(kind: Kind, name: string): Promise<void>;
};

const attemptsMax = 200;
export const home = "default";

export function user(cluster: Cluster, clock: Clock, random: Random): User {
  const context = (): AdmissionContext => ({
    view: cluster.view,
    now: clock.now(),
    random,
    settings: cluster.settings,
  });

  async function write(
    admit: (context: AdmissionContext) => Admitted<unknown> | undefined,
  ): Promise<void> {
    const { store, replica } = cluster;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const admitted = admit(context());
      if (admitted === undefined || admitted.ops.length === 0) return;
      const outcome = await store.commit(admitted.ops, { cut: cluster.view.revision });
      await replica.caughtUp(outcome.revision ?? (await store.lastRevision()));
      if (outcome.ok) return;
    }
    throw new Error("every attempt lost a race");
  }

  const scopeOf = (kind: Kind) => (kind.namespaced ? home : undefined);
  const find = <K extends Kind>(kind: K, name: string) =>
    cluster.view.get(kind, scopeOf(kind), name);

  return {
    create: (kind, manifest) =>
      write((context) => admitCreate(kind, parse(kind, manifest), context)),
    change: (kind, name, edit) =>
      write((context) => {
        const before = find(kind, name);
        return before && admitUpdate(kind, before, parse(kind, edit(before)), context);
      }),
    remove: (kind, name) =>
      write((context) => {
        const before = find(kind, name);
        return before === undefined ? undefined : admitDelete(kind, before, {}, context);
      }),
  };
}
