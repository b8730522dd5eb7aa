/** A dry run does everything but the write: the reply is as ever, the store as it was. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jsonPatch, mergePatch, spec, strategicPatch } from "../../../test/refusals.ts";
import { scenarios } from "../../../test/scenarios.ts";
import type { Sent } from "../../../test/https-client.ts";
import { definitionOf, definitionsPath, group } from "../custom/custom-fixture.ts";

const { ask, gateway } = scenarios(beforeAll, afterAll);
const deployment = { metadata: { name: "web" }, spec };
const pod = {
  metadata: { name: "web", labels: { app: "web" } },
  spec: { containers: [{ name: "a", image: "b" }] },
};

beforeAll(async () => {
  await ask("POST deployments", { body: deployment });
  await ask("POST pods", { body: pod });
  await ask("POST nodes", { body: { metadata: { name: "n1" } } });
  await ask("POST configmaps", { body: { metadata: { name: "there", finalizers: ["a.b/c"] } } });
  await ask(`POST ${inDefault}/serviceaccounts`, { body: { metadata: { name: "robot" } } });
  await ask(`POST ${requests}`, { body: request });
  await ask(`POST ${definitionsPath}`, { body: definitionOf("Thing") });
  await ask(`POST ${things}`, { body: { ...thing, metadata: { name: "there" } } });
});

const inDefault = "/api/v1/namespaces/default";
const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const request = {
  metadata: { name: "jane" },
  spec: {
    request: Buffer.from("-----BEGIN CERTIFICATE REQUEST-----").toString("base64"),
    signerName: "example.com/nobody",
    usages: ["client auth"],
  },
};
const things = `/apis/${group}/v1/namespaces/default/things`;
const thing = { apiVersion: `${group}/v1`, kind: "Thing" };
const applied = (body: object): Sent => ({ body, contentType: "application/apply-patch+yaml" });
const appliedWeb = (more: object) =>
  applied({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, ...more });
type Row = readonly [name: string, request: string, sent: Sent, code: number, body: object];
const rows: readonly Row[] = [
  [
    "create",
    "POST configmaps",
    { body: { metadata: { name: "new" } } },
    201,
    {
      kind: "ConfigMap",
      metadata: { name: "new", uid: expect.any(String), creationTimestamp: expect.any(String) },
    },
  ],
  [
    "create with a made-up name",
    "POST configmaps",
    { body: { metadata: { generateName: "new-" } } },
    201,
    { metadata: { name: expect.stringMatching(/^new-.{5}$/) } },
  ],
  [
    "create of what is there",
    "POST configmaps",
    { body: { metadata: { name: "there" } } },
    409,
    { reason: "AlreadyExists" },
  ],
  [
    "create of what is invalid",
    "POST configmaps",
    { body: { metadata: { name: "No" } } },
    422,
    { reason: "Invalid" },
  ],
  [
    "update",
    "PUT deployments/web",
    { body: { ...deployment, spec: { ...spec, replicas: 4 } } },
    200,
    { spec: { replicas: 4 }, metadata: { generation: 2 } },
  ],
  [
    "update at a stale revision",
    "PUT deployments/web",
    { body: { ...deployment, metadata: { name: "web", resourceVersion: "1" } } },
    409,
    { reason: "Conflict" },
  ],
  [
    "merge patch",
    "PATCH deployments/web",
    mergePatch({ spec: { replicas: 5 } }),
    200,
    { spec: { replicas: 5 } },
  ],
  [
    "JSON patch",
    "PATCH deployments/web",
    jsonPatch({ op: "replace", path: "/spec/replicas", value: 6 }),
    200,
    { spec: { replicas: 6 } },
  ],
  [
    "strategic patch",
    "PATCH deployments/web",
    strategicPatch({ spec: { replicas: 7 } }),
    200,
    { spec: { replicas: 7 } },
  ],
  [
    "update of the status",
    "PUT deployments/web/status",
    { body: { ...deployment, status: { observedGeneration: 1 } } },
    200,
    { status: { observedGeneration: 1 } },
  ],
  [
    "patch of the status",
    "PATCH deployments/web/status",
    mergePatch({ status: { observedGeneration: 1 } }),
    200,
    { status: { observedGeneration: 1 } },
  ],
  [
    "update of the scale",
    "PUT deployments/web/scale",
    { body: { metadata: { name: "web" }, spec: { replicas: 8 } } },
    200,
    { kind: "Scale", spec: { replicas: 8 } },
  ],
  [
    "patch of the scale",
    "PATCH deployments/web/scale",
    mergePatch({ spec: { replicas: 9 } }),
    200,
    { kind: "Scale", spec: { replicas: 9 } },
  ],
  ["delete", "DELETE deployments/web", {}, 200, { kind: "Status", status: "Success" }],
  [
    "delete of what finalizers hold",
    "DELETE configmaps/there",
    {},
    200,
    { kind: "ConfigMap", metadata: { deletionTimestamp: expect.any(String) } },
  ],
  [
    "delete of a namespace",
    "DELETE namespaces/default",
    {},
    200,
    { kind: "Namespace", status: { phase: "Terminating" } },
  ],
  [
    "delete of a collection",
    "DELETE deployments",
    {},
    200,
    { kind: "DeploymentList", items: [{ metadata: { name: "web" } }] },
  ],
  [
    "binding",
    "POST pods/web/binding",
    { body: { metadata: { name: "web" }, target: { kind: "Node", name: "n1" } } },
    201,
    { kind: "Status", status: "Success" },
  ],
  [
    "eviction",
    "POST pods/web/eviction",
    { body: { metadata: { name: "web", namespace: "default" } } },
    201,
    { kind: "Status", status: "Success" },
  ],
  [
    "apply of what there is not",
    "PATCH configmaps/new?fieldManager=a",
    applied({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "new" }, data: { a: "1" } }),
    201,
    { data: { a: "1" }, metadata: { managedFields: [{ manager: "a", operation: "Apply" }] } },
  ],
  [
    "apply by force",
    "PATCH deployments/web?fieldManager=a&force=true",
    appliedWeb({ spec: { replicas: 9 } }),
    200,
    { spec: { replicas: 9 } },
  ],
  [
    "apply of a status",
    "PATCH deployments/web/status?fieldManager=a",
    appliedWeb({ status: { observedGeneration: 1 } }),
    200,
    { status: { observedGeneration: 1 } },
  ],
  [
    "apply of a scale by force",
    "PATCH deployments/web/scale?fieldManager=a&force=true",
    applied({ apiVersion: "autoscaling/v1", kind: "Scale", spec: { replicas: 9 } }),
    200,
    { kind: "Scale", spec: { replicas: 9 } },
  ],
  [
    "JSON patch of the status",
    "PATCH deployments/web/status",
    jsonPatch({ op: "add", path: "/status/observedGeneration", value: 1 }),
    200,
    { status: { observedGeneration: 1 } },
  ],
  [
    "patch that takes the last finalizer away",
    "PATCH configmaps/there",
    mergePatch({ metadata: { finalizers: null } }),
    200,
    { metadata: { name: "there" } },
  ],
  [
    "token",
    `POST ${inDefault}/serviceaccounts/robot/token`,
    { body: { spec: { expirationSeconds: 600 } } },
    201,
    { kind: "TokenRequest", status: { token: "" } },
  ],
  [
    "approval",
    `PATCH ${requests}/jane/approval`,
    mergePatch({ status: { conditions: [{ type: "Approved", status: "True", reason: "r" }] } }),
    200,
    { status: { conditions: [{ type: "Approved" }] } },
  ],
  [
    "create of a user's kind",
    `POST ${definitionsPath}`,
    { body: definitionOf("Other") },
    201,
    { status: { conditions: [{ type: "NamesAccepted" }, { type: "Established" }] } },
  ],
  [
    "create of an object of a user's kind",
    `POST ${things}`,
    { body: { ...thing, metadata: { name: "new" } } },
    201,
    { kind: "Thing", metadata: { uid: expect.any(String) } },
  ],
  [
    "apply of an object of a user's kind",
    `PATCH ${things}/there?fieldManager=a`,
    applied({ ...thing, metadata: { name: "there", labels: { a: "b" } } }),
    200,
    { metadata: { labels: { a: "b" } } },
  ],
  ["delete of an object of a user's kind", `DELETE ${things}/there`, {}, 200, { kind: "Status" }],
];

describe("a dry run", () => {
  test.each(rows.map(([name, ...rest]) => ({ name, rest })))(
    "of $name writes nothing",
    async ({ rest: [request, sent, code, body] }) => {
      const { store } = gateway();
      const before = await store.lastRevision();
      const objects = (await ask(`GET ${inDefault}/configmaps`)).text;
      const answer = await ask(`${request}${request.includes("?") ? "&" : "?"}dryRun=All`, sent);
      expect(answer.code).toBe(code);
      expect(answer.body).toMatchObject(body);
      expect(await store.lastRevision()).toBe(before);
      expect((await ask(`GET ${inDefault}/configmaps`)).text).toBe(objects);
    },
  );

  test("that the options of an eviction or a deletion ask for is one", async () => {
    const before = await gateway().store.lastRevision();
    const deleteOptions = { dryRun: ["All"] };
    const body = { metadata: { name: "web" }, deleteOptions };
    expect((await ask("POST pods/web/eviction", { body })).code).toBe(201);
    expect((await ask("DELETE pods/web", { body: deleteOptions })).code).toBe(200);
    expect((await ask("DELETE pods/web?dryRun=All", { body: {} })).code).toBe(200);
    expect(await gateway().store.lastRevision()).toBe(before);
  });

  test.each([
    ["POST configmaps", "CreateOptions"],
    ["PUT configmaps/there", "UpdateOptions"],
    ["PATCH configmaps/there", "PatchOptions"],
  ])("of another sort is refused: %s", async (request, kind) => {
    const sent = request.startsWith("PATCH")
      ? mergePatch({})
      : { body: { metadata: { name: "there" } } };
    const answer = await ask(`${request}?dryRun=Some&fieldValidation=Loose`, sent);
    expect(answer).toMatchObject({
      code: 422,
      body: { reason: "Invalid", details: { group: "meta.k8s.io", kind } },
    });
    expect(answer.body["message"]).toBe(
      `${kind}.meta.k8s.io "" is invalid: [dryRun: Unsupported value: []string{"Some"}: supported values: "All", fieldValidation: Unsupported value: "Loose": supported values: "", "Ignore", "Strict", "Warn"]`,
    );
  });
});
