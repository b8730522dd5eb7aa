import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { writableView } from "../cluster/view-of.ts";
import type { Kind, ObjectOf } from "../model/kind.ts";
import { ingress } from "../model/kinds/ingress.ts";
import { ingressClass } from "../model/kinds/ingressclass.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { pod } from "../model/kinds/pod.ts";
import { priorityClass } from "../model/kinds/priorityclass.ts";
import { runtimeClass } from "../model/kinds/runtimeclass.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import { admitCreate } from "./admit.ts";
import { refusalOf } from "./refusal-fixture.ts";

const settings = settingsFromEnvironment.parse({});

function cluster() {
  const store = writableView();
  const context = { view: store.view, now: 0, random: seededRandom(1), settings };
  const create = <K extends Kind>(kind: K, input: object): ObjectOf<K> => {
    const { object, ops } = admitCreate(kind, input, context);
    store.commit(ops);
    return object;
  };
  create(namespace, { metadata: { name: "default" } });
  const aPod = (spec: object) =>
    create(pod, {
      metadata: { generateName: "web-", namespace: "default" },
      spec: { containers: [{ name: "web", image: "web:v1" }], ...spec },
    }).spec;
  const aClass = (name: string, value: number, rest: object = {}) =>
    create(priorityClass, { metadata: { name }, value, ...rest });
  return { create, aPod, aClass };
}

describe("a new pod", () => {
  test("has the priority and the policy of its class", () => {
    const { aPod, aClass } = cluster();
    aClass("high", 1_000, { preemptionPolicy: "Never" });
    expect(aPod({ priorityClassName: "high" })).toMatchObject({
      priority: 1_000,
      preemptionPolicy: "Never",
    });
  });

  test("of no class has that of the default class, and none when there is none", () => {
    const { aPod, aClass } = cluster();
    const plain = aPod({});
    expect(plain).toMatchObject({ priority: 0, preemptionPolicy: "PreemptLowerPriority" });
    expect(plain.priorityClassName).toBeUndefined();
    aClass("usual", 10, { globalDefault: true });
    expect(aPod({})).toMatchObject({ priorityClassName: "usual", priority: 10 });
  });

  test("is of a system class before that has been made", () => {
    const { aPod } = cluster();
    const spec = aPod({ priorityClassName: "system-node-critical" });
    expect(spec.priority).toBe(2_000_001_000);
  });

  test.each([
    [{ priorityClassName: "none" }, /no PriorityClass with name none was found$/],
    [{ priority: 7 }, /the integer value of priority \(7\) must not be provided in pod spec/],
    [{ preemptionPolicy: "Never" }, /the string value of PreemptionPolicy \(Never\) must not/],
    [{ runtimeClassName: "none" }, /pod rejected: RuntimeClass "none" not found$/],
  ])("with %j is refused", (spec, said) => {
    const { aPod } = cluster();
    const refusal = refusalOf(() => aPod(spec));
    expect(refusal.reason).toBe("Forbidden");
    expect(refusal.message).toMatch(said);
  });

  test("has the overhead of its runtime, and goes where that is", () => {
    const { aPod, create } = cluster();
    const tolerations = [{ key: "sandboxed", operator: "Exists" }];
    create(runtimeClass, {
      metadata: { name: "sandbox" },
      handler: "runsc",
      overhead: { podFixed: { memory: "64Mi" } },
      scheduling: { nodeSelector: { runtime: "runsc" }, tolerations },
    });
    const runtimeClassName = "sandbox";
    expect(aPod({ runtimeClassName, nodeSelector: { disk: "fast" } })).toMatchObject({
      overhead: { memory: "64Mi" },
      nodeSelector: { disk: "fast", runtime: "runsc" },
      tolerations: expect.arrayContaining(tolerations) as unknown,
    });
    const contradicts = () => aPod({ runtimeClassName, nodeSelector: { runtime: "runc" } });
    expect(refusalOf(contradicts).message).toMatch(/conflicts with pod.spec.nodeSelector$/);
  });
});

test("only one PriorityClass is the default", () => {
  const { aClass } = cluster();
  aClass("usual", 10, { globalDefault: true });
  const refusal = refusalOf(() => aClass("other", 20, { globalDefault: true }));
  expect(refusal.message).toContain("PriorityClass usual is already marked as default.");
});

test("an Ingress that names no class is of the default one", () => {
  const { create } = cluster();
  const anIngress = (name: string, rest: object = {}) =>
    create(ingress, {
      metadata: { name, namespace: "default" },
      spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } }, ...rest },
    }).spec.ingressClassName;
  expect(anIngress("before")).toBeUndefined();
  create(ingressClass, {
    metadata: {
      name: "front",
      annotations: { "ingressclass.kubernetes.io/is-default-class": "true" },
    },
    spec: { controller: "example.com/front" },
  });
  expect(anIngress("after")).toBe("front");
  expect(anIngress("named", { ingressClassName: "back" })).toBe("back");
});
