import { describe, expect, test } from "vitest";
import { admitCreate } from "../../../libs/admission/admit.ts";
import { writableView } from "../../../libs/cluster/view-of.ts";
import { trustKey } from "../../../libs/cluster/key.ts";
import { publishTrust, trustedIn } from "../../../libs/identity/trust.ts";
import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { countingRandom, settings } from "../fixtures.ts";
import { decide } from "./kube-root-ca.ts";

const cut = writableView();
const { view } = cut;
const context = { view, settings, now: 0, random: countingRandom() };
const home = admitCreate(namespace, { metadata: { name: "shop" } }, context);
cut.commit(home.ops);
const held = (data: Record<string, string>) =>
  admitCreate(
    configMap,
    { metadata: { name: "kube-root-ca.crt", namespace: "shop" }, data },
    context,
  ).object;
const ending = {
  ...home.object,
  metadata: { ...home.object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
};

describe("a namespace", () => {
  test("tells its pods whom to trust", () => {
    const { writes } = decide(home.object, { held: undefined, trusted: "CA" });
    expect(writes).toMatchObject([
      {
        op: "create",
        object: {
          metadata: { name: "kube-root-ca.crt", namespace: "shop" },
          data: { "ca.crt": "CA" },
        },
      },
    ]);
  });

  test.each([
    ["nobody has said yet whom", home.object, { held: undefined, trusted: undefined }, []],
    ["it ends", ending, { held: undefined, trusted: "CA" }, []],
    ["it says so already", home.object, { held: held({ "ca.crt": "CA" }), trusted: "CA" }, []],
    ["it says another", home.object, { held: held({ "ca.crt": "X" }), trusted: "CA" }, ["update"]],
    [
      "somebody added to it",
      home.object,
      { held: held({ "ca.crt": "CA", more: "x" }), trusted: "CA" },
      ["update"],
    ],
  ])("writes what is right where %s", (_name, self, world, ops) => {
    expect(decide(self, world).writes.map(({ op }) => op)).toEqual(ops);
  });
});

test("what gateways prove themselves with is kept, each once, the newest first", async () => {
  const store = memoryStore();
  await Promise.all(["A", "B", "A"].map((one) => publishTrust(store, one)));
  await publishTrust(store, "C");
  const entry = await store.get(trustKey);
  const kept = writableView();
  kept.commit([
    { op: "put", key: trustKey, expect: "absent", value: entry?.value ?? new Uint8Array() },
  ]);
  const trusted = trustedIn(kept.view)?.trim().split("\n") ?? [];
  expect(trusted[0]).toBe("C");
  expect(trusted.toSorted()).toEqual(["A", "B", "C"]);
  expect(trustedIn(writableView().view)).toBeUndefined();
});
