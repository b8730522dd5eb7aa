/** The same cluster, spoken to over NATS alone. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bus } from "../../libs/bus/bus.ts";
import { natsBus } from "../../libs/bus/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
let bus: Bus;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
  const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
  bus = await natsBus({ url: cluster.natsUrl, name: "test", ...ports });
});
afterAll(async () => {
  await bus?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const encode = (text: string) => new TextEncoder().encode(text);
async function ask(verb: string, body: string): Promise<Record<string, unknown>> {
  const reply = await bus.request(`berth.api.${verb}`, encode(body));
  return JSON.parse(new TextDecoder().decode(reply));
}

const configMap = (name: string, value: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data: { key: ${value} }
`;
const valueOf = (name: string) =>
  cluster.kubectl(["get", "configmap", name, "-o", "jsonpath={.data.key}"]);

describe("over NATS", () => {
  test("apply makes and changes, get and list read, delete takes away", async () => {
    expect(await ask("apply", configMap("a", "one"))).toMatchObject({ ok: true });
    expect(await ask("apply", configMap("a", "two"))).toMatchObject({ ok: true });
    const where = { kind: "ConfigMap", namespace: "default", name: "a" };
    expect(await ask("get", JSON.stringify(where))).toMatchObject({
      object: { data: { key: "two" } },
    });
    const asked = { kind: "configmaps", namespace: "default", fieldSelector: "metadata.name=a" };
    const listed = await ask("list", JSON.stringify(asked));
    expect(listed).toMatchObject({ items: [{ metadata: { name: "a" } }] });
    expect(await ask("delete", JSON.stringify(where))).toMatchObject({ ok: true });
    expect(await ask("get", JSON.stringify(where))).toMatchObject({
      ok: false,
      status: { reason: "NotFound" },
    });
  });

  test("a refusal is Kubernetes' Status, naming the field", async () => {
    const bad = configMap("Bad_Name", "x");
    const reply = await ask("apply", bad);
    expect(JSON.stringify(reply)).toContain("metadata.name");
    expect(reply["ok"]).toBe(false);
  });

  test("what is published while no gateway runs is applied when one starts, its bad parts parked", async () => {
    const gateway = cluster.processes.get("api-0");
    await gateway?.stop();
    const documents = [
      configMap("good", "one"),
      "apiVersion: v1\nkind: Nonsense\nmetadata: { name: x }\n",
      configMap("also", "two"),
    ];
    bus.publish("berth.manifests.team.web", encode(documents.join("---\n")));
    gateway?.start();
    await eventually("the good documents are there", async () => {
      expect(await valueOf("good")).toBe("one");
      expect(await valueOf("also")).toBe("two");
    });
    const parked = await eventually("the bad one is parked", async () => {
      const reply = JSON.stringify(await ask("parked", "{}"));
      expect(reply).toContain("Nonsense");
      return reply;
    });
    expect(parked).not.toContain('"good"');
  });
});
