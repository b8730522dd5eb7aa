/** Manifests that are the whole of a set, applied by two gateways on real NATS. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { setKey } from "../../../libs/cluster/key.ts";
import { StoreUnavailable } from "../../../libs/store/store.ts";
import { type Gateways, openGateways } from "../../../test/nats-gateways.ts";
import { definitionOf, definitionsPath, group } from "../custom/custom-fixture.ts";
import type { ApplyAs } from "./apply-options.ts";
import { applyManifest, type Outcome } from "./manifest.ts";
import { setId } from "./manifest-set.ts";
import type { Claimant } from "./set-claim.ts";

let gateways: Gateways;
let made = 0;

beforeAll(async () => {
  gateways = await openGateways();
});
afterAll(async () => {
  await gateways?.[Symbol.asyncDispose]();
});

type Options = Partial<ApplyAs> & {
  /** The gateway that has the message in hand. */
  readonly on?: 0 | 1;
  /** The message's number; absent: it is a request. */
  readonly nth?: number;
};

/** A publisher's own, and a Namespace for what it publishes. */
async function fresh() {
  const name = `p${(made += 1)}`;
  const [{ client }] = gateways.sides;
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  const maps = `/api/v1/namespaces/${name}/configmaps`;
  const call = async (method: string, path: string, sent = {}) => {
    const answer = await client.call(method, path, sent);
    expect(answer.code).toBeLessThan(300);
    return answer.body as { items: { metadata: { name: string; labels?: object } }[] };
  };
  return {
    name,
    maps,
    call,
    map: (one: string, value = "x", rest: object = {}) =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: one, namespace: name },
        data: { value },
        ...rest,
      }),
    apply: async (documents: readonly string[], options: Options = {}): Promise<Outcome> => {
      const { on = 0, nth, ...as } = options;
      const claimant: Claimant =
        nth === undefined ? { by: "request" } : { by: "message", stream: "s", sequence: nth };
      const side = gateways.sides[on].gateway.gateway;
      const data = Buffer.from(documents.join("\n---\n"));
      const all = { manager: name, force: false, dryRun: false, set: "web", ...as };
      return applyManifest(side, data, all, { claimant, progress: () => undefined });
    },
    names: async () => {
      const { items } = await call("GET", maps);
      return items.map(({ metadata }) => metadata.name);
    },
  };
}

const actions = ({ results }: Outcome) =>
  results.map((one) =>
    one.ok ? `${one.action} ${one.object.name}` : `refused ${one.document.name}`,
  );
const emptyList = JSON.stringify({ apiVersion: "v1", kind: "List", items: [] });

describe("a manifest that is the whole of a set", () => {
  test("deletes what an earlier one named and it does not, and nothing else", async () => {
    const { apply, map, names, call, maps } = await fresh();
    await call("POST", maps, { body: JSON.parse(map("mine")) });
    await apply([map("other")], { set: "other" });
    await apply([map("loose")], { set: undefined });
    expect(actions(await apply([map("a"), map("b")], { nth: 1 }))).toEqual([
      "created a",
      "created b",
    ]);
    const second = await apply([map("b"), map("c")], { nth: 2, on: 1 });
    expect(actions(second)).toEqual(["unchanged b", "created c", "pruned a"]);
    expect(second).toMatchObject({ ok: true, prune: { set: "web", outcome: "done" } });
    expect(await names()).toEqual(["b", "c", "loose", "mine", "other"]);
  });

  test("labels its objects as an ApplySet does", async () => {
    const { name, apply, map, call, maps } = await fresh();
    await apply([map("a")], { nth: 1 });
    const id = setId(name, "web");
    expect(id).toMatch(/^applyset-[\w-]{43}-v1$/);
    const selected = `labelSelector=applyset.kubernetes.io/part-of=${id}`;
    expect((await call("GET", `${maps}?${selected}`)).items).toHaveLength(1);
  });

  test("deletes all of it when it is an empty List, and refuses to be empty", async () => {
    const { apply, map, names } = await fresh();
    await apply([map("a")], { nth: 1 });
    await expect(apply(["# nothing\n"], { nth: 2 })).rejects.toThrow("no objects passed to apply");
    expect(await names()).toEqual(["a"]);
    expect(actions(await apply([emptyList], { nth: 3 }))).toEqual(["pruned a"]);
    expect(await names()).toEqual([]);
  });

  test("may hold what is cluster-scoped, in any namespace, and of users' kinds", async () => {
    const { name, apply, map, call } = await fresh();
    const kind = `Boat${made}`;
    await call("POST", definitionsPath, { body: definitionOf(kind) });
    const boats = `/apis/${group}/v1/namespaces/${name}/${kind.toLowerCase()}s`;
    await expect.poll(() => call("GET", boats).catch(() => undefined)).toBeDefined();
    const boat = { apiVersion: `${group}/v1`, kind, metadata: { name: "b", namespace: name } };
    const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: `${name}-more` } };
    const elsewhere = map("d", "x", { metadata: { name: "d", namespace: `${name}-more` } });
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules: [],
    };
    const all = [elsewhere, ...[boat, role, space].map((one) => JSON.stringify(one))];
    expect(await apply(all, { nth: 1 })).toMatchObject({ ok: true });
    const left = await apply([JSON.stringify(space)], { nth: 2 });
    expect(actions(left).toSorted()).toEqual(
      [`pruned ${name}`, "pruned b", "pruned d", `unchanged ${name}-more`].toSorted(),
    );
    expect(actions(await apply([emptyList], { nth: 3 }))).toEqual([`pruned ${name}-more`]);
  });

  test("does not prune what it names and cannot apply", async () => {
    const { apply, map, names } = await fresh();
    await apply([map("a"), map("b"), map("c")], { nth: 1 });
    const wrong = map("a", "x", { data: { value: 7 } });
    const outcome = await apply([wrong, map("c")], { nth: 2 });
    expect(actions(outcome)).toEqual(["refused a", "unchanged c", "pruned b"]);
    expect(outcome).toMatchObject({ ok: false, prune: { outcome: "done" } });
    expect(await names()).toEqual(["a", "c"]);
  });

  test.each([
    ["cannot be read", "kind: [\n"],
    [
      "is of a kind that there is not",
      '{"apiVersion":"v9","kind":"ConfigMap","metadata":{"name":"b"}}',
    ],
    ["has no name", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}'],
  ])("prunes nothing when a document %s", async (_name, document) => {
    const { apply, map, names } = await fresh();
    await apply([map("a"), map("b")], { nth: 1 });
    const outcome = await apply([map("a"), document], { nth: 2 });
    expect(outcome).toMatchObject({ ok: false, prune: { outcome: "withheld" } });
    expect(await names()).toEqual(["a", "b"]);
  });

  test("is tried without a trace", async () => {
    const { apply, map, names, maps, call } = await fresh();
    await apply([map("a"), map("b")], { nth: 1 });
    const before = await gateways.sides[0].gateway.store.lastRevision();
    const outcome = await apply([map("b", "y"), map("c")], { nth: 2, dryRun: true });
    expect(actions(outcome)).toEqual(["configured b", "created c", "pruned a"]);
    expect(await gateways.sides[0].gateway.store.lastRevision()).toBe(before);
    expect(await names()).toEqual(["a", "b"]);
    expect(JSON.stringify(await call("GET", maps))).not.toContain('"y"');
  });

  test("does not take Events, which lie elsewhere", async () => {
    const { name, apply } = await fresh();
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", namespace: name },
      involvedObject: {},
    };
    const outcome = await apply([JSON.stringify(event)], { nth: 1 });
    expect(outcome).toMatchObject({ results: [{ ok: false, status: { code: 400 } }] });
  });

  test("does not take an object that says that it is of another set", async () => {
    const { apply, map, names, name } = await fresh();
    const labels = { "applyset.kubernetes.io/part-of": "other" };
    const document = map("a", "x", { metadata: { name: "a", namespace: name, labels } });
    expect(actions(await apply([document], { nth: 1 }))).toEqual(["refused a"]);
    expect(await names()).toEqual([]);
  });
});

describe("what others have taken over stays", () => {
  const merge = (body: object) => ({ body, contentType: "application/merge-patch+json" });

  test("by taking the label off", async () => {
    const { apply, map, names, call, maps } = await fresh();
    await apply([map("a"), map("b")], { nth: 1 });
    const labels = { "applyset.kubernetes.io/part-of": null };
    await call("PATCH", `${maps}/a`, merge({ metadata: { labels } }));
    await apply([emptyList], { nth: 2, on: 1 });
    expect(await names()).toEqual(["a"]);
  });

  test("by taking the label off just before it would be deleted", async () => {
    const { apply, map, names, call, maps } = await fresh();
    await apply([map("a"), map("b")], { nth: 1 });
    const [, { life }] = gateways.sides;
    let taken = 0;
    life.meanwhile = async (ops) => {
      if (!ops.some(({ op, key }) => op === "delete" && key.endsWith(".a")) || taken > 0) return;
      taken += 1;
      const labels = { "applyset.kubernetes.io/part-of": null };
      await call("PATCH", `${maps}/a`, merge({ metadata: { labels } }));
    };
    const outcome = await apply([emptyList], { nth: 2, on: 1 });
    life.meanwhile = async () => undefined;
    expect(actions(outcome)).toEqual(["pruned b"]);
    expect(taken).toBe(1);
    expect(await names()).toEqual(["a"]);
  });

  test("into another set of the same publisher", async () => {
    const { apply, map, names } = await fresh();
    await apply([map("a"), map("b")], { nth: 1 });
    expect(await apply([map("a")], { nth: 2, set: "new" })).toMatchObject({ ok: true });
    await apply([emptyList], { nth: 3 });
    expect(await names()).toEqual(["a"]);
    await apply([emptyList], { nth: 4, set: "new" });
    expect(await names()).toEqual([]);
  });

  test("by another publisher's set, which has to force it", async () => {
    const [one, other] = [await fresh(), await fresh()];
    await one.apply([one.map("a")], { nth: 1 });
    const refused = await other.apply([one.map("a", "y")], { nth: 2 });
    const causes = [
      { reason: "FieldManagerConflict", field: ".data.value" },
      { reason: "FieldManagerConflict" },
    ];
    expect(refused).toMatchObject({ results: [{ status: { code: 409, details: { causes } } }] });
    await other.apply([one.map("a", "y")], { nth: 3, force: true });
    await one.apply([emptyList], { nth: 4 });
    expect(await one.names()).toEqual(["a"]);
    await other.apply([emptyList], { nth: 5 });
    expect(await one.names()).toEqual([]);
  });

  test("a copy of an object, label and all, is no member", async () => {
    const { apply, map, names, call, maps } = await fresh();
    await apply([map("a")], { nth: 1 });
    const [item] = (await call("GET", maps)).items;
    const body = { metadata: { name: "copy", labels: item?.metadata.labels } };
    await call("POST", maps, { body });
    await apply([emptyList], { nth: 2 });
    expect(await names()).toEqual(["copy"]);
  });
});

describe("manifests of one set take effect in the order in which they were published", () => {
  test("an older one that comes after a newer one does nothing", async () => {
    const { apply, map, names } = await fresh();
    await apply([map("a"), map("b")], { nth: 1 });
    await apply([map("b", "new")], { nth: 3 });
    for (const nth of [1, 2]) {
      const late = await apply([map("a"), map("b", "old"), map("c")], { nth, on: 1 });
      expect(late).toEqual({
        ok: false,
        results: [],
        prune: expect.objectContaining({ outcome: "superseded" }),
      });
    }
    expect(await names()).toEqual(["b"]);
  });

  test("a gateway that lags knows what older ones did before it applies a newer one", async () => {
    const { apply, map, names, maps } = await fresh();
    const [, { life, client }] = gateways.sides;
    await apply([map("a")], { nth: 1 });
    expect((await client.call("GET", `${maps}/a`)).code).toBe(200);
    life.deaf = Promise.withResolvers();
    await apply([emptyList], { nth: 2 });
    const outcome = await apply([map("a")], { nth: 3, on: 1 });
    life.deaf.resolve();
    life.deaf = undefined;
    expect(actions(outcome)).toEqual(["created a"]);
    expect(await names()).toEqual(["a"]);
  });

  test("one that comes twice is applied twice, and says the same", async () => {
    const { apply, map, names } = await fresh();
    await apply([map("a")], { nth: 1 });
    await apply([map("b")], { nth: 2 });
    const again = await apply([map("b")], { nth: 2, on: 1 });
    expect(again).toMatchObject({ ok: true, prune: { outcome: "done" } });
    expect(await names()).toEqual(["b"]);
  });

  test("a request comes after what was applied before it, and before what is published then", async () => {
    const { apply, map, names } = await fresh();
    await apply([map("a")], { nth: 1 });
    await apply([map("b")], { on: 1 });
    expect(await apply([map("a")], { nth: 1 })).toMatchObject({ prune: { outcome: "superseded" } });
    expect(await names()).toEqual(["b"]);
    await apply([map("c")], { nth: 2 });
    expect(await names()).toEqual(["c"]);
  });

  test("at once on several gateways, in any interleaving", async () => {
    const { apply, map, names } = await fresh();
    for (let round = 0; round < 12; round += 1) {
      const first = 4 * round;
      const shuffled = [0, 1, 2, 3].toSorted(
        (a, b) => ((a * 7 + round) % 4) - ((b * 7 + round) % 4),
      );
      const outcomes = await Promise.all(
        shuffled.map((n) =>
          apply([map("kept", `${round}`), map(`m${n}`), map(`n${n}`)], {
            nth: first + n + 1,
            on: n % 2 === 0 ? 0 : 1,
          }),
        ),
      );
      expect(outcomes[shuffled.indexOf(3)]).toMatchObject({ ok: true });
      expect(await names()).toEqual(["kept", "m3", "n3"]);
    }
  });
});

describe("a gateway that is killed at any write leaves what the next one completes", () => {
  test.each(["before", "after"] as const)("%s it is written", async (dies) => {
    const { life } = gateways.sides[0];
    for (let commits = 1; ; commits += 1) {
      const { apply, map, names } = await fresh();
      await apply([map("a"), map("b"), map("c")], { nth: 1 });
      const next = [map("c", "y"), map("d")];
      Object.assign(life, { commits, dies });
      const outcome = await apply(next, { nth: 2 }).catch((error: unknown) => error);
      const lived = life.commits !== undefined && life.commits > 0;
      life.commits = undefined;
      if (!lived) expect(outcome).toBeInstanceOf(StoreUnavailable);
      // The older message comes again, too, before and after the newer one.
      expect(await apply([map("a")], { nth: 1, on: 1 })).toMatchObject(
        commits === 1 && dies === "before" ? {} : { prune: { outcome: "superseded" } },
      );
      expect(await apply(next, { nth: 2, on: 1 })).toMatchObject({ ok: true });
      await apply([map("a")], { nth: 1, on: 1 });
      expect(await names()).toEqual(["c", "d"]);
      if (lived) break;
    }
  });
});

test("a publisher has so many sets and no more", async () => {
  const { store } = gateways.sides[0].gateway;
  const { apply, map, name } = await fresh();
  const ops = Array.from({ length: 1_000 }, (_, nth) => ({
    op: "put" as const,
    key: setKey(name, `${nth}`),
    expect: "absent" as const,
    value: Buffer.from(JSON.stringify({ stream: "s", sequence: 1, by: "message" })),
  }));
  expect(await store.commit(ops)).toMatchObject({ ok: true });
  expect(await apply([map("a")], { nth: 2 }).catch(String)).toContain("1000 sets");
});
