/** A whole instance, for what only its wiring shows: facts beside the cut reach the actors (N1). */
import { afterEach, expect, test } from "vitest";
import { admitBind, admitCreate, admitStatus, admitUpdate } from "../../libs/admission/admit.ts";
import type { AdmissionContext, Admitted } from "../../libs/admission/context.ts";
import { addressHash } from "../../libs/actor/placement.ts";
import { memoryBus } from "../../libs/bus/memory.ts";
import { clusterOn } from "../../libs/cluster/open.ts";
import { lease, nodeLeaseNamespace } from "../../libs/model/kinds/lease.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { node } from "../../libs/model/kinds/node.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import { memoryBucket } from "../../libs/store/memory-bucket.ts";
import { memoryMemberships } from "../../libs/store/memory-memberships.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { virtualClock } from "../../libs/telemetry/virtual-clock.ts";
import { countingRandom, settings } from "./fixtures.ts";
import { allControllers, runInstance } from "./instance.ts";

// What is loaded from outside comes before time begins to move.
const [controllers] = await Promise.all([allControllers(), addressHash()]);
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** One instance, and users who write through admission. */
async function openInstance() {
  const clock = virtualClock();
  const random = countingRandom();
  const log = createLog("test", "silent");
  const stop = new AbortController();
  const ports = { clock, random, log, signal: stop.signal };
  const bucket = memoryBucket({ clock });
  const open = () => clusterOn(memoryStore({ bucket }), settings, ports);
  const [cluster, outside, bus] = [await open(), await open(), memoryBus()];
  const instance = "controllers-1";
  const [record, memberships] = [() => undefined, memoryMemberships({ clock })];
  const running = runInstance({
    instance,
    controllers,
    bus,
    cluster,
    record,
    memberships,
    ...ports,
  });
  ends.push(async () => {
    stop.abort();
    await clock.advance(10_000);
    await running;
    for (const one of [bus, cluster, outside]) await one[Symbol.asyncDispose]();
  });
  await clock.advance(2_000);
  const { view, store } = outside;
  async function write(
    admit: (context: AdmissionContext) => Admitted<unknown> | undefined,
  ): Promise<void> {
    const admitted = admit({ view, now: clock.now(), random, settings });
    const outcome = await store.commit(admitted?.ops ?? []);
    expect(outcome).toMatchObject({ ok: true });
    await clock.advance(10);
  }
  return { clock, view, write };
}

test("nodes live by their Leases, and one that falls silent is emptied (N4)", async () => {
  const { clock, view, write } = await openInstance();
  const names = ["n1", "n2"];
  const conditions = [{ type: "Ready", status: "True" }];
  const found = (name: string) => view.get(node, undefined, name) ?? expect.unreachable(name);
  const readyOf = (name: string) =>
    found(name).status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const leaseOf = (name: string, renewTime: string) => ({
    metadata: { name, namespace: nodeLeaseNamespace },
    spec: { holderIdentity: name, renewTime },
  });
  const isMade = (name: string) => view.get(namespace, undefined, name) !== undefined;
  expect([nodeLeaseNamespace, "default"].filter(isMade)).toHaveLength(2);
  for (const name of names) {
    await write((context) => admitCreate(node, { metadata: { name } }, context));
    await write((context) => admitStatus(node, found(name), { conditions }, context));
    await write((context) => admitCreate(lease, leaseOf(name, "2001-01-01T00:00:00Z"), context));
    const spec = { containers: [{ name: "web", image: "web:v1" }] };
    const metadata = { name: `on-${name}`, namespace: "default" };
    await write((context) => admitCreate(pod, { metadata, spec }, context));
    const made = () => view.get(pod, "default", `on-${name}`) ?? expect.unreachable(name);
    await write((context) => admitBind(pod, made(), name, context));
  }
  const renew = (name: string) =>
    write((context) => {
      const held = view.get(lease, nodeLeaseNamespace, name) ?? expect.unreachable(name);
      const { renewTime } = held.spec;
      const next = new Date(Date.parse(renewTime ?? "") + 1).toISOString();
      return admitUpdate(lease, held, leaseOf(name, next), context);
    });

  for (let times = 0; times < 6; times += 1) {
    await clock.advance(10_000);
    const before = found("n1").metadata.resourceVersion;
    for (const name of names) await renew(name);
    expect(found("n1").metadata.resourceVersion).toBe(before); // A renewal changes no Node.
  }
  expect(names.map(readyOf)).toEqual(["True", "True"]);

  for (let times = 0; times < 5; times += 1) {
    await clock.advance(10_000);
    await renew("n2");
  }
  expect(names.map(readyOf)).toEqual(["Unknown", "True"]);
  expect(found("n1").spec.taints?.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
    "node.kubernetes.io/unreachable:NoSchedule",
    "node.kubernetes.io/unreachable:NoExecute",
  ]);
  const goes = (name: string) =>
    view.get(pod, "default", `on-${name}`)?.metadata.deletionTimestamp !== undefined;
  expect(names.map(goes)).toEqual([true, false]);

  await write((context) => admitStatus(node, found("n1"), { conditions }, context));
  expect(found("n1").spec.taints).toBeUndefined();
});
