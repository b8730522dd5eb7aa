import { describe, expect, test } from "vitest";
import { ConfigMissing, environmentOf, type ReadConfig } from "./environment.ts";
import { aWork } from "./fixtures.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const read: ReadConfig = (kind, name) =>
  name === "settings" ? { COLOR: bytes(kind === "Secret" ? "secret" : "blue") } : undefined;

function envOf(container: object): Record<string, string> {
  const work = aWork({ containers: [{ name: "main", ...container }] });
  const [first] = work.spec.containers;
  if (first === undefined) throw new Error("no container");
  const allocatable = { cpu: "2", memory: "1Gi" };
  const fields = {
    work,
    node: "n1",
    hostAddress: "192.0.2.2",
    podAddress: "10.0.0.2",
    allocatable,
    apiAddress: "10.96.0.1",
    readToken: () => undefined,
  };
  const all = Object.entries(Object.fromEntries(environmentOf(first, fields, read)));
  const isOurs = ([name, value]: [string, string]) =>
    name.startsWith("KUBERNETES_") && value !== "mine";
  return Object.fromEntries(all.filter((entry) => !isOurs(entry)));
}

describe("a container's environment", () => {
  test.each([
    {
      name: "replaces what was named before",
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "$(A)2" },
      ],
      gives: { A: "1", B: "12" },
    },
    {
      name: "says where the API is, unless the pod does",
      env: [
        { name: "A", value: "$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT_HTTPS)" },
        { name: "KUBERNETES_PORT", value: "mine" },
      ],
      gives: { A: "10.96.0.1:443", KUBERNETES_PORT: "mine" },
    },
    {
      name: "leaves what is unknown, and what is escaped",
      env: [{ name: "A", value: "$(X) $$(A)" }],
      gives: { A: "$(X) $(A)" },
    },
    {
      name: "reads a field of the pod",
      env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
      gives: { A: "10.0.0.2" },
    },
    {
      name: "reads a label",
      env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }],
      gives: { A: "web" },
    },
    {
      name: "reads a key of a Secret",
      env: [{ name: "A", valueFrom: { secretKeyRef: { name: "settings", key: "COLOR" } } }],
      gives: { A: "secret" },
    },
    {
      name: "leaves out an optional key",
      env: [
        { name: "A", valueFrom: { configMapKeyRef: { name: "none", key: "X", optional: true } } },
      ],
      gives: {},
    },
    {
      name: "takes the node's for a limit that is not set",
      env: [
        {
          name: "A",
          valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } },
        },
      ],
      gives: { A: "1024" },
    },
  ])("$name", ({ env, gives }) => {
    expect(envOf({ env })).toEqual(gives);
  });

  test("takes all keys, prefixed, below what is named", () => {
    const envFrom = [{ prefix: "P_", configMapRef: { name: "settings" } }];
    expect(envOf({ envFrom, env: [{ name: "B", value: "$(P_COLOR)" }] })).toEqual({
      P_COLOR: "blue",
      B: "blue",
    });
  });

  test("names the ConfigMap that is missing", () => {
    const missing = () => envOf({ envFrom: [{ configMapRef: { name: "none" } }] });
    expect(missing).toThrow(new ConfigMissing('configmap "none" not found'));
  });
});
