import { describe, expect, test } from "vitest";
import { memoryBus, memoryNetwork } from "../../../libs/bus/memory.ts";
import { defaultScheduling } from "../../../libs/cluster/settings.ts";
import { clusterView } from "../../../libs/cluster/view.ts";
import { lookedUp } from "../../../libs/cluster/view-of.ts";
import { lbHeartbeatReply, lbSnapshot, type LbHeartbeatReply } from "../../../libs/protocol/lb.ts";
import { drainAnswer, type DrainAnswer } from "../../../libs/protocol/node.ts";
import { serviceDigest } from "../../../libs/protocol/service-digest.ts";
import {
  controlSubject,
  lbId,
  servicePrefix,
  slicePrefix,
} from "../../../libs/protocol/subjects.ts";
import {
  type Advance,
  type Held,
  type Replica,
  ReplicaLagging,
} from "../../../libs/store/replica.ts";
import type { Store } from "../../../libs/store/store.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { serveDrains } from "./drain.ts";
import { listen } from "./hearing.ts";
import { serveLbs } from "./lb-sessions.ts";
import { lbSilenceMs } from "./observed-lbs.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (data: Uint8Array) => JSON.parse(new TextDecoder().decode(data)) as unknown;
const settings = {
  id: "c1",
  podCIDR: "10.244.0.0/16",
  serviceCIDR: "10.96.0.0/16",
  dnsAddress: "10.96.0.10",
  domain: "cluster.local",
  nodePorts: [30_000, 32_767] as [number, number],
  tolerationSeconds: 2,
  scheduling: { ...defaultScheduling, rebalance: false },
};

const serviceKey = `${servicePrefix}default.web`;
const sliceKey = `${slicePrefix}default.web-1`;
const aService = {
  metadata: { name: "web", namespace: "default" },
  spec: { selector: { app: "web" } },
};
const aSlice = (terminating: boolean) => ({
  metadata: {
    name: "web-1",
    namespace: "default",
    labels: { "kubernetes.io/service-name": "web" },
  },
  addressType: "IPv4",
  endpoints: [
    {
      addresses: ["10.244.0.2"],
      targetRef: { uid: "u1" },
      conditions: { ready: !terminating, terminating },
    },
  ],
});
const aPod = {
  metadata: { name: "web-a", namespace: "default", uid: "u1", labels: { app: "web" } },
  spec: { containers: [] },
  status: {
    phase: "Running",
    podIP: "10.244.0.2",
    conditions: [{ type: "Ready", status: "True" }],
  },
};

/** A replica that holds what the test writes into it. */
function aReplica() {
  const held = new Map<string, Held<unknown>>();
  const listeners = new Set<(advance: Advance<unknown>) => void>();
  let revision = 0;
  const replica: Replica<unknown> = {
    get revision() {
      return revision;
    },
    get: (key) => held.get(key),
    revisionOf: (key) => held.get(key)?.revision ?? 0,
    scan: (prefix) => [...held.values()].filter(({ key }) => key.startsWith(prefix)),
    lookup: (index, value) => lookedUp(held.values(), index, value),
    count: (index, value) => lookedUp(held.values(), index, value).length,
    caughtUp: async () => undefined,
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return {
    replica,
    write(key: string, object: { metadata: object } | undefined): number {
      revision += 1;
      const before = held.get(key);
      const after = object && {
        key,
        revision,
        value: { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } },
      };
      if (after === undefined) held.delete(key);
      else held.set(key, after);
      const changes = [{ key, revision, before, after, last: undefined }];
      for (const listener of listeners) listener({ revision, changes, entries: [], loaded: false });
      return revision;
    },
    digest(): string {
      const digest = serviceDigest();
      for (const { key, revision: at } of held.values()) {
        if (key.startsWith(servicePrefix) || key.startsWith(slicePrefix)) digest.toggle(key, at);
      }
      return digest.text();
    },
  };
}

/** A controllers instance, and an agent and lbs that talk with it. */
async function stage({ owns = true, lags = false } = {}) {
  const clock = virtualClock();
  const network = memoryNetwork();
  const [controllers, outside] = [memoryBus({ network, clock }), memoryBus({ network, clock })];
  const state = aReplica();
  const behind = async () => {
    throw new ReplicaLagging("the replica is behind");
  };
  const replica = lags ? { ...state.replica, caughtUp: behind } : state.replica;
  const stop = new AbortController();
  const ports = {
    bus: controllers,
    store: {} as Store, // Sessions with lbs write nothing.
    replica,
    view: clusterView(replica),
    settings,
    placement: { owns: () => owns },
    tell: () => undefined,
    clock,
    random: systemRandom,
    log: createLog("controllers", "silent"),
    signal: stop.signal,
  };
  const stack = new AsyncDisposableStack();
  stack.use(controllers);
  stack.use(outside);
  const hearing = stack.use(listen(clock, () => controllers.healthySinceMs()));
  const lbs = stack.use(await serveLbs(ports, hearing));
  stack.use(await serveDrains(ports, lbs));
  stack.defer(() => stop.abort());

  const request = (subject: string, body: unknown, timeoutMs: number) =>
    outside.request(subject, encode(body), { timeoutMs }).then(decode);
  return {
    clock,
    write: (key: string, object: { metadata: object } | undefined) => state.write(key, object),
    digest: () => state.digest(),
    /** What an lb is answered; undefined: nothing. */
    async beat(
      machine: string,
      applied: number,
      found = state.digest(),
      boot = "b1",
    ): Promise<LbHeartbeatReply | undefined> {
      const heartbeat = { machine, boot, applied, digest: found };
      const asked = request(controlSubject(lbId(machine), "heartbeat"), heartbeat, 50).then(
        (reply) => lbHeartbeatReply.parse(reply),
        () => undefined,
      );
      await clock.advance(60);
      return asked;
    },
    async snapshot(applied: number) {
      return lbSnapshot.parse(
        await request(controlSubject("_m1", "snapshot"), { machine: "m1", applied }, 1_000),
      );
    },
    /** A drain question under way; `outcome` stays undefined until it is answered. */
    drain(limitMs = 10_000): { outcome: DrainAnswer["outcome"] | "silence" | undefined } {
      const question = {
        node: "n1",
        applied: 0,
        namespace: "default",
        name: "web-a",
        uid: "u1",
        limitMs,
      };
      const result: ReturnType<typeof this.drain> = { outcome: undefined };
      request(controlSubject("n1", "drain"), question, limitMs + 1_000).then(
        (answer) => {
          result.outcome = drainAnswer.parse(answer).outcome;
        },
        () => {
          result.outcome = "silence";
        },
      );
      return result;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type Stage = Awaited<ReturnType<typeof stage>>;
/** Keeps `machines` heard for `ms` with what they had applied. */
async function hear(at: Stage, ms: number, machines: Record<string, readonly [number, string]>) {
  for (let passed = 0; passed < ms; passed += 500) {
    for (const [machine, [applied, digest]] of Object.entries(machines))
      await at.beat(machine, applied, digest);
    await at.clock.advance(500);
  }
}

/** A pod in a Service, and an instance that has listened for long enough to m1, which knows all. */
async function settled(
  options: { owns?: boolean } = {},
): Promise<Stage & { before: readonly [number, string] }> {
  const at = await stage(options);
  at.write(serviceKey, aService);
  at.write("pods.default.web-a", aPod);
  const before = [at.write(sliceKey, aSlice(false)), at.digest()] as const;
  await hear(at, lbSilenceMs, { m1: before });
  return { ...at, before };
}

describe("a drain", () => {
  test("is answered when the slice shows the pod as terminating and every live lb has applied that", async () => {
    await using at = await settled();
    await at.beat("m2", ...at.before);
    const asked = at.drain();
    await at.clock.advance(300);
    expect(asked.outcome).toBeUndefined();
    const revision = at.write(sliceKey, aSlice(true));
    await at.beat("m1", revision);
    expect(asked.outcome).toBeUndefined();
    await at.beat("m2", ...at.before);
    expect(asked.outcome).toBeUndefined();
    await at.beat("m2", revision);
    expect(asked.outcome).toBe("applied");
  });

  test("does not believe an lb that names the revision but holds something else", async () => {
    await using at = await settled();
    const revision = at.write(sliceKey, aSlice(true));
    const asked = at.drain();
    expect(await at.beat("m1", revision, at.before[1])).toMatchObject({ differs: true });
    expect(asked.outcome).toBeUndefined();
    expect(await at.beat("m1", revision)).toMatchObject({ differs: false });
    expect(asked.outcome).toBe("applied");
  });

  test("counts an lb that restarts only after its full sync", async () => {
    await using at = await settled();
    const revision = at.write(sliceKey, aSlice(true));
    await at.beat("m1", revision);
    await at.beat("m1", 0, "", "b2");
    const asked = at.drain();
    await at.clock.advance(300);
    expect(asked.outcome).toBeUndefined();
    await at.beat("m1", revision, at.digest(), "b2");
    expect(asked.outcome).toBe("applied");
  });

  test("does not count an lb that was silent for the whole timeout", async () => {
    await using at = await settled();
    await at.beat("m2", ...at.before);
    const revision = at.write(sliceKey, aSlice(true));
    const asked = at.drain();
    await hear(at, lbSilenceMs - 500, { m1: [revision, at.digest()] });
    expect(asked.outcome).toBeUndefined();
    await hear(at, 1_000, { m1: [revision, at.digest()] });
    expect(asked.outcome).toBe("applied");
  });

  test("is not answered by an instance that lags or ends, not with a failure either (N6)", async () => {
    await using at = await stage({ lags: true });
    const asked = at.drain(2_000);
    await at.clock.advance(2_500);
    expect(asked.outcome).toBeUndefined();
    await at.clock.advance(1_000);
    expect(asked.outcome).toBe("silence");
  });

  test("is not answered by an instance that has not listened for a whole timeout", async () => {
    await using at = await stage();
    at.write(serviceKey, aService);
    at.write("pods.default.web-a", aPod);
    const revision = at.write(sliceKey, aSlice(true));
    const asked = at.drain();
    await hear(at, lbSilenceMs - 1_000, { m1: [revision, at.digest()] });
    expect(asked.outcome).toBeUndefined();
    await hear(at, 1_500, { m1: [revision, at.digest()] });
    expect(asked.outcome).toBe("applied");
  });

  test("does not wait where no Service selects the pod, nor for a pod that is gone", async () => {
    await using at = await stage();
    at.write("pods.default.web-a", aPod);
    const unselected = at.drain();
    await at.clock.advance(10);
    expect(unselected.outcome).toBe("no-service");
    at.write("pods.default.web-a", undefined);
    const gone = at.drain();
    await at.clock.advance(10);
    expect(gone.outcome).toBe("no-service");
  });

  test("ends at its limit, and where no lb is alive, by the owner's word only", async () => {
    for (const owns of [true, false]) {
      await using at = await settled({ owns });
      const asked = at.drain(1_000);
      await hear(at, 1_000, { m1: at.before });
      await at.clock.advance(1_100);
      expect(asked.outcome).toBe(owns ? "limit" : "silence");

      at.write(sliceKey, aSlice(true));
      await at.clock.advance(lbSilenceMs + 500);
      const alone = at.drain(1_000);
      await at.clock.advance(2_500);
      expect(alone.outcome).toBe(owns ? "no-lb" : "silence");
    }
  });

  test("is answered by whoever knows that all have applied it, the owner or not", async () => {
    await using at = await settled({ owns: false });
    const asked = at.drain();
    const revision = at.write(sliceKey, aSlice(true));
    await at.beat("m1", revision);
    expect(asked.outcome).toBe("applied");
  });

  test("is not prolonged by what happens to the slice later", async () => {
    await using at = await settled();
    const revision = at.write(sliceKey, aSlice(true));
    const known = at.digest();
    const asked = at.drain();
    await at.clock.advance(10);
    at.write(sliceKey, aSlice(true));
    await at.beat("m1", revision, known);
    expect(asked.outcome).toBe("applied");
  });
});

describe("an lb is told", () => {
  test("nothing new when it holds the newest, even by an instance that has just loaded", async () => {
    await using at = await stage();
    const revision = at.write(serviceKey, aService);
    at.write("pods.default.web-a", aPod);
    expect(await at.beat("m1", revision)).toMatchObject({ lastRevision: revision, differs: false });
  });

  test("of a newer revision, and gets the whole at a cut that is no older than its own (N3)", async () => {
    await using at = await settled();
    const revision = at.write(sliceKey, aSlice(true));
    expect(await at.beat("m1", ...at.before)).toMatchObject({
      lastRevision: revision,
      differs: false,
    });
    const asked = at.snapshot(revision);
    await at.clock.advance(1);
    expect(await asked).toMatchObject({
      cut: revision,
      services: [{ revision: 1 }],
      slices: [{ revision, object: { addressType: "IPv4" } }],
      nodes: [],
    });
  });

  test("nothing by an instance that does not own it", async () => {
    await using at = await stage({ owns: false });
    expect(await at.beat("m1", 0)).toBeUndefined();
  });
});
