/** Kinds of users on real NATS, seen by two gateways and by kubectl. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { natsStore } from "../../../libs/store/nats.ts";
import type { Store } from "../../../libs/store/store.ts";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { openWebhookServer } from "../../../test/webhook-server.ts";
import { type NatsServers, startNats } from "../../../test/nats-server.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";
import { kubeconfig } from "../pki/kubeconfig.ts";
import { definitionOf, definitionsPath, group, versionOf } from "./custom-fixture.ts";

const kubectlPath = join(import.meta.dirname, "../../../.berth/bin/kubectl");

type Side = {
  readonly store: Store;
  readonly gateway: MemoryGateway;
  readonly client: HttpsClient;
};

let nats: NatsServers;
let folder: string;
let sides: [Side, Side];

async function open(): Promise<Side> {
  const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
  const store = await natsStore({ url: nats.url, replicas: 1, bucket: "state", ...ports });
  const gateway = await openMemoryGateway({ state: store });
  return { store, gateway, client: httpsClient(gateway) };
}

async function close({ gateway, store }: Side): Promise<void> {
  await gateway[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
}

beforeAll(async () => {
  nats = await startNats({ sync: "2m" });
  folder = await mkdtemp(join(tmpdir(), "berth-custom-"));
  sides = [await open(), await open()];
  const [{ client }] = sides;
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
});

afterAll(async () => {
  for (const side of sides ?? []) await close(side);
  await nats?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Asks again until the other gateway has seen what the first one wrote. */
async function until(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask())) await new Promise((resolve) => setImmediate(resolve));
}

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      description: "What is wanted of a boat.",
      properties: {
        size: { type: "integer", minimum: 1, description: "How many people it carries." },
        color: { type: "string", default: "white" },
      },
    },
    status: { type: "object", properties: { size: { type: "integer" } } },
  },
} as const;
const boats = definitionOf(
  "Boat",
  [
    versionOf("v1", schema as never, {
      subresources: {
        status: {},
        scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" },
      },
      additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
    }),
  ],
  { names: { shortNames: ["bt"] } },
);
const path = `/apis/${group}/v1/namespaces/default/boats`;

test("a kind that one gateway was told of is served by the other, and outlives both", async () => {
  const [first, second] = sides;
  expect((await second.client.call("GET", path)).code).toBe(404);
  await first.client.call("POST", definitionsPath, { body: boats });
  await until(async () => (await second.client.call("GET", path)).code === 200);
  const body = { metadata: { name: "kept" }, spec: { size: 3 } };
  const made = await second.client.call("POST", path, { body });
  expect(made).toMatchObject({ code: 201, body: { spec: { size: 3, color: "white" } } });
  expect((await first.client.call("GET", `${path}/kept`)).body).toEqual(made.body);
  await close(second);
  sides[1] = await open();
  expect((await sides[1].client.call("GET", `${path}/kept`)).body).toEqual(made.body);
});

/** More than a dozen runs of kubectl, each of which reads discovery. */
const kubectlMs = 120_000;

test("kubectl works with it as with any other", { timeout: kubectlMs }, async () => {
  const [{ gateway }] = sides;
  const config = join(folder, "kubeconfig");
  const { server, authority, token } = gateway;
  await writeFile(config, kubeconfig(server, { certificate: authority, token } as never));
  const kubectl = (...args: readonly string[]) =>
    new Promise<string>((resolve, reject) => {
      const environment = { KUBECONFIG: config, HOME: folder, PATH: "/usr/bin:/bin" };
      execFile(kubectlPath, args, { env: environment }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${error.message}\n${stderr}`));
      });
    });
  const manifest = async (size: number) => {
    const file = join(folder, "boat.yaml");
    const boat = {
      apiVersion: `${group}/v1`,
      kind: "Boat",
      metadata: { name: "ferry" },
      spec: { size },
    };
    await writeFile(file, JSON.stringify(boat));
    return file;
  };
  await writeFile(join(folder, "crd.yaml"), JSON.stringify(boats));
  await kubectl("apply", "-f", join(folder, "crd.yaml"));
  await kubectl("wait", "--for=condition=established", "--timeout=20s", "crd/boats.example.dev");
  expect(await kubectl("apply", "-f", await manifest(2))).toContain(
    "boat.example.dev/ferry created",
  );
  expect(await kubectl("apply", "-f", await manifest(2))).toContain("unchanged");
  expect(await kubectl("apply", "-f", await manifest(4))).toContain("configured");
  expect(await kubectl("get", "bt")).toMatch(/^NAME +SIZE\nferry +4\n/);
  expect(await kubectl("explain", "boat.spec.size")).toContain("How many people it carries.");
  await kubectl("patch", "boat", "ferry", "--type=merge", "-p", '{"spec":{"color":"red"}}');
  await kubectl("scale", "boat", "ferry", "--replicas=7");
  const jsonPath = "jsonpath={.spec.size} {.spec.color} {.metadata.generation}";
  expect(await kubectl("get", "boat", "ferry", "-o", jsonPath)).toBe("7 red 4");
  await kubectl("apply", "--server-side", "--force-conflicts", "-f", await manifest(9));
  await expect(kubectl("create", "-f", await manifest(0))).rejects.toThrow(
    "spec.size in body should be greater than or equal to 1",
  );
  expect(await kubectl("delete", "boat", "ferry")).toContain("deleted");
  await expect(kubectl("get", "boat", "ferry")).rejects.toThrow("NotFound");
});

test("objects are converted by a webhook, read and written", async () => {
  const [{ client }] = sides;
  await using server = await openWebhookServer(({ body }) => {
    const { request } = body as {
      request: {
        uid: string;
        desiredAPIVersion: string;
        objects: { spec: { size?: unknown; length?: unknown } }[];
      };
    };
    const { uid, desiredAPIVersion: apiVersion, objects } = request;
    const convertedObjects = objects.map(({ spec, ...rest }) => ({
      ...rest,
      apiVersion,
      spec: apiVersion.endsWith("/v2")
        ? { length: String(spec.size) }
        : { size: Number(spec.length) },
    }));
    return { response: { uid, result: { status: "Success" }, convertedObjects } };
  });
  const field = (properties: object) =>
    ({ type: "object", properties: { spec: { type: "object", properties } } }) as never;
  const conversion = {
    strategy: "Webhook",
    webhook: {
      clientConfig: { url: server.url, caBundle: server.caBundle },
      conversionReviewVersions: ["v1"],
    },
  };
  const versions = [
    versionOf("v1", field({ size: { type: "integer" } })),
    { ...versionOf("v2", field({ length: { type: "string" } })), storage: false },
  ];
  await client.call("POST", definitionsPath, {
    body: definitionOf("Rope", versions, { conversion }),
  });
  const ropes = (version: string) => `/apis/${group}/${version}/namespaces/default/ropes`;
  const made = await client.call("POST", ropes("v2"), {
    body: { metadata: { name: "one" }, spec: { length: "7" } },
  });
  expect(made).toMatchObject({
    code: 201,
    body: { apiVersion: `${group}/v2`, spec: { length: "7" } },
  });
  const read = await client.call("GET", `${ropes("v1")}/one`);
  expect(read.body).toMatchObject({ apiVersion: `${group}/v1`, spec: { size: 7 } });
  const contentType = "application/merge-patch+json";
  const body = { spec: { length: "9" } };
  const patched = await client.call("PATCH", `${ropes("v2")}/one`, { contentType, body });
  expect(patched).toMatchObject({ code: 200, body: { spec: { length: "9" } } });
  const listed = await client.call("GET", ropes("v2"));
  expect(listed.body).toMatchObject({
    items: [{ apiVersion: `${group}/v2`, spec: { length: "9" } }],
  });
  expect((await client.call("GET", `${ropes("v1")}/one`)).body).toMatchObject({
    spec: { size: 9 },
  });
});
