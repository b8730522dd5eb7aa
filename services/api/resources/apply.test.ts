/** Server-side apply and field managers through the gateway: each row an object of its own. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { shownPaths } from "../../../libs/model/fields/field-set.ts";
import { decodeManaged } from "../../../libs/model/fields/managed.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

let gateway: MemoryGateway;
let client: HttpsClient;
beforeAll(async () => {
  gateway = await openMemoryGateway();
  client = httpsClient(gateway);
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
});
afterAll(async () => gateway?.[Symbol.asyncDispose]());

type Place = { readonly path: string; readonly apiVersion: string; readonly kind: string };
const core = (plural: string, kind: string): Place => ({
  path: `/api/v1/namespaces/default/${plural}`,
  apiVersion: "v1",
  kind,
});
const configMaps = core("configmaps", "ConfigMap");
const services = core("services", "Service");
const pods = core("pods", "Pod");
const accounts = core("serviceaccounts", "ServiceAccount");
const deployments: Place = {
  path: "/apis/apps/v1/namespaces/default/deployments",
  apiVersion: "apps/v1",
  kind: "Deployment",
};
const autoscalers = (version: "v1" | "v2"): Place => ({
  path: `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`,
  apiVersion: `autoscaling/${version}`,
  kind: "HorizontalPodAutoscaler",
});

type Verb = "apply" | "force" | "post" | "put" | "merge" | "strategic" | "json" | "delete";
type Step = {
  readonly verb: Verb;
  readonly by: string;
  readonly body?: object;
  readonly query?: string;
  readonly sub?: "status" | "scale";
  readonly at?: Place;
  /** What is answered, when it is no success. */
  readonly code?: number;
};
type Ends = {
  /** Of the last answer. */
  readonly code?: number;
  readonly message?: string;
  readonly object?: object;
  readonly absent?: readonly string[];
  /** `name`, `name/subresource`, and `name!` for who updates → paths. */
  readonly owners?: Readonly<Record<string, readonly string[]>>;
};
type Row = readonly [name: string, place: Place, steps: readonly Step[], ends: Ends];

const step =
  (verb: Verb) =>
  (by: string, body: object, more: Omit<Step, "verb" | "by" | "body"> = {}): Step => ({
    verb,
    by,
    body,
    ...more,
  });
const apply = step("apply");
const force = step("force");
const post = step("post");
const put = step("put");
const merge = step("merge");
const json = step("json");

const types: Readonly<Partial<Record<Verb, string>>> = {
  apply: "application/apply-patch+yaml",
  force: "application/apply-patch+yaml",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
};

async function run(place: Place, name: string, one: Step): Promise<Answer> {
  const { verb, by, sub, at = place } = one;
  const query = new URLSearchParams(one.query ?? "");
  if (by !== "") query.set("fieldManager", by);
  if (verb === "force") query.set("force", "true");
  const object = one.body as { readonly metadata?: object };
  const head = { apiVersion: at.apiVersion, kind: at.kind };
  const whole = { ...head, ...object, metadata: { name, ...object.metadata } };
  const method = verb === "post" ? "POST" : verb === "put" ? "PUT" : "PATCH";
  const path =
    verb === "post" ? at.path : `${at.path}/${name}${sub === undefined ? "" : `/${sub}`}`;
  const contentType = types[verb];
  const isPatch = verb === "merge" || verb === "strategic" || verb === "json";
  return client.call(method, `${path}?${query.toString()}`, {
    body: isPatch ? object : whole,
    ...(contentType !== undefined && { contentType }),
  });
}

function owners(body: unknown): Record<string, readonly string[]> {
  const { metadata } = body as { readonly metadata: { readonly managedFields?: unknown } };
  const managed = [...(decodeManaged(metadata.managedFields) ?? new Map()).values()];
  return Object.fromEntries(
    managed.map(({ manager, set }) => {
      const { name, subresource, operation } = manager;
      const where = subresource === "" ? name : `${name}/${subresource}`;
      return [operation === "Update" ? `${where}!` : where, shownPaths(set)];
    }),
  );
}

const container = { name: "web", image: "web:v1" };
const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [container] },
};
const selector = { matchLabels: { app: "web" } };
const web = { spec: { replicas: 1, selector, template } };
const scaled = (replicas: number) => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  spec: { replicas },
});
const containers = (...list: object[]) => ({ spec: { template: { spec: { containers: list } } } });
const webPaths = [
  ".spec.replicas",
  ".spec.selector",
  ".spec.template.metadata.labels.app",
  '.spec.template.spec.containers[name="web"]',
  '.spec.template.spec.containers[name="web"].image',
  '.spec.template.spec.containers[name="web"].name',
];
const condition = (type: string) => ({
  type,
  status: "True",
  lastUpdateTime: "2026-01-01T00:00:00Z",
  lastTransitionTime: "2026-01-01T00:00:00Z",
  reason: "r",
  message: "m",
});

const rows: readonly Row[] = [
  [
    "makes what there is not",
    configMaps,
    [apply("a", { data: { k: "1" } })],
    { code: 201, object: { data: { k: "1" } }, owners: { a: [".data.k"] } },
  ],
  [
    "changes what there is",
    configMaps,
    [apply("a", { data: { k: "1" } }), apply("a", { data: { k: "2" } })],
    { code: 200, object: { data: { k: "2" } }, owners: { a: [".data.k"] } },
  ],
  [
    "removes a member of a map",
    configMaps,
    [apply("a", { data: { k: "1", l: "1" } }), apply("a", { data: { l: "1" } })],
    { object: { data: { l: "1" } }, absent: ["data.k"], owners: { a: [".data.l"] } },
  ],
  [
    "shares a field",
    configMaps,
    [apply("a", { data: { k: "1" } }), apply("b", { data: { k: "1" } })],
    { code: 200, owners: { a: [".data.k"], b: [".data.k"] } },
  ],
  [
    "keeps a shared field until the last one gives it up",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      apply("b", { data: { k: "1" } }),
      apply("a", {}),
      apply("b", { data: {} }),
    ],
    { absent: ["data.k"], owners: { b: [".data"] } },
  ],
  [
    "is refused what another one applied",
    configMaps,
    [apply("a", { data: { k: "1" } }), apply("b", { data: { k: "2" } })],
    {
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "a": .data.k',
      owners: { a: [".data.k"] },
    },
  ],
  [
    "is refused what an update set",
    configMaps,
    [post("u", { data: { k: "1" } }), apply("b", { data: { k: "2" } })],
    { code: 409, message: 'Apply failed with 1 conflict: conflict with "u" using v1: .data.k' },
  ],
  [
    "takes by force",
    configMaps,
    [post("u", { data: { k: "1", l: "1" } }), force("b", { data: { k: "2" } })],
    {
      code: 200,
      object: { data: { k: "2", l: "1" } },
      owners: { "u!": [".data", ".data.l"], b: [".data.k"] },
    },
  ],
  [
    "an update takes without asking",
    configMaps,
    [apply("a", { data: { k: "1", l: "1" } }), merge("u", { data: { k: "2" } })],
    { owners: { a: [".data.l"], "u!": [".data.k"] } },
  ],
  [
    "an update that removes leaves nobody with it",
    configMaps,
    [apply("a", { data: { k: "1", l: "1" } }), merge("u", { data: { k: null } })],
    { owners: { a: [".data.l"] } },
  ],
  [
    "a PUT without managedFields keeps them",
    configMaps,
    [apply("a", { data: { k: "1" } }), put("u", { data: { k: "1", l: "2" } })],
    { owners: { a: [".data.k"], "u!": [".data.l"] } },
  ],
  [
    "a PUT with managedFields replaces them",
    configMaps,
    [
      apply("a", { data: { k: "1", l: "1" } }),
      put("u", {
        data: { k: "1", l: "1" },
        metadata: {
          managedFields: [
            {
              manager: "b",
              operation: "Apply",
              apiVersion: "v1",
              fieldsType: "FieldsV1",
              fieldsV1: { "f:data": { "f:l": {} } },
            },
          ],
        },
      }),
    ],
    { code: 200, owners: { b: [".data.l"] } },
  ],
  [
    "a PUT with managedFields that are none keeps those there are",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      put("u", {
        data: { k: "1" },
        metadata: { managedFields: [{ manager: "b", operation: "Apply", fieldsType: "FieldsV1" }] },
      }),
    ],
    { code: 200, owners: { a: [".data.k"] } },
  ],
  [
    "a PUT with an empty list of managedFields resets them",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      put("u", { data: { k: "1" }, metadata: { managedFields: [] } }),
    ],
    { code: 200, owners: {} },
  ],
  [
    "a PATCH with one empty entry resets them",
    configMaps,
    [apply("a", { data: { k: "1" } }), merge("u", { metadata: { managedFields: [{}] } })],
    { code: 200, owners: {} },
  ],
  [
    "nobody begins to manage what nobody manages by updating it",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      merge("u", { metadata: { managedFields: [{}] } }),
      merge("u", { data: { k: "2" } }),
    ],
    { code: 200, owners: {} },
  ],
  [
    "what was there before the first apply belongs to that time",
    configMaps,
    [
      post("u", { data: { k: "1", l: "1" } }),
      merge("u", { metadata: { managedFields: [{}] } }),
      apply("a", { data: { k: "1", m: "1" } }),
    ],
    {
      owners: {
        "before-first-apply!": [".data", ".data.k", ".data.l"],
        a: [".data.k", ".data.m"],
      },
    },
  ],
  [
    "is refused what was there before the first apply",
    configMaps,
    [
      post("u", { data: { k: "1" } }),
      merge("u", { metadata: { managedFields: [{}] } }),
      apply("a", { data: { k: "2" } }),
    ],
    {
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k',
    },
  ],
  [
    "must not say who manages what",
    configMaps,
    [apply("a", { metadata: { managedFields: [{}] } })],
    { code: 400, message: "metadata.managedFields must be nil" },
  ],
  [
    "must be of the kind",
    configMaps,
    [apply("a", { kind: "Secret" })],
    { code: 400, message: "invalid object type: v1, Kind=Secret" },
  ],
  [
    "must be of the version",
    deployments,
    [apply("a", { apiVersion: "apps/v1beta1", ...web })],
    { code: 400, message: "invalid object type: apps/v1beta1, Kind=Deployment" },
  ],
  [
    "must name its manager",
    configMaps,
    [apply("", { data: { k: "1" } })],
    {
      code: 422,
      message:
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    },
  ],
  [
    "must name its manager briefly",
    configMaps,
    [apply("m".repeat(129), { data: { k: "1" } })],
    { code: 422, message: "fieldManager: Too long: may not be more than 128 bytes" },
  ],
  [
    "alone can be forced",
    configMaps,
    [post("u", {}), merge("u", { data: { k: "1" } }, { query: "force=true" })],
    { code: 422, message: "force: Forbidden: may not be specified for non-apply patch" },
  ],
  [
    "must know the fields",
    configMaps,
    [apply("a", { date: { k: "1" } })],
    { code: 400, message: "v1, Kind=ConfigMap): .date: field not declared in schema" },
  ],
  [
    "must not state an item twice",
    deployments,
    [apply("a", { ...web, ...containers(container, container) })],
    {
      code: 400,
      message: '.spec.template.spec.containers: duplicate entries for key [name="web"]',
    },
  ],
  [
    "must be what the kind takes",
    deployments,
    [apply("a", { spec: { replicas: -1, selector, template } })],
    { code: 422, message: "spec.replicas: Invalid value: -1" },
  ],
  [
    "of a name that the path does not name is refused",
    configMaps,
    [apply("a", { metadata: { name: "other" } })],
    { code: 400, message: "the name of the provided object does not match the name on the URL" },
  ],
  [
    "with another object's uid makes nothing",
    configMaps,
    [apply("a", { metadata: { uid: "x" } })],
    {
      code: 409,
      message:
        "uid mismatch: the provided object specified uid x, and no existing object was found",
    },
  ],
  [
    "with an old resourceVersion is refused",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      apply("a", { data: { k: "2" }, metadata: { resourceVersion: "1" } }),
    ],
    { code: 409, message: "the object has been modified" },
  ],
  [
    "dry makes nothing",
    configMaps,
    [apply("a", { data: { k: "1" } }, { query: "dryRun=All" })],
    { code: 201 },
  ],
  [
    "dry changes nothing, and tells conflicts",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      apply("a", { data: { k: "2" } }, { query: "dryRun=All" }),
      apply("b", { data: { k: "3" } }, { query: "dryRun=All" }),
    ],
    {
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "a": .data.k',
      object: { data: { k: "1" } },
      owners: { a: [".data.k"] },
    },
  ],
  [
    "of a Deployment owns what it states, not what is there by default",
    deployments,
    [apply("a", web)],
    { code: 201, object: { spec: { revisionHistoryLimit: 10 } }, owners: { a: webPaths } },
  ],
  [
    "that no longer states replicas leaves their default",
    deployments,
    [
      apply("a", { spec: { ...web.spec, replicas: 3 } }),
      apply("a", { spec: { selector, template } }),
    ],
    { object: { spec: { replicas: 1 } }, owners: { a: webPaths.slice(1) } },
  ],
  [
    "adds a container to another one's",
    deployments,
    [apply("a", web), apply("b", containers({ name: "side", image: "side:v1" }))],
    {
      object: containers(container, { name: "side", image: "side:v1" }),
      owners: {
        a: webPaths,
        b: ["", ".image", ".name"].map(
          (field) => `.spec.template.spec.containers[name="side"]${field}`,
        ),
      },
    },
  ],
  [
    "takes its container away again",
    deployments,
    [
      apply("a", web),
      apply("b", containers({ name: "side", image: "side:v1" })),
      apply("b", { metadata: { labels: { b: "1" } } }),
    ],
    { object: containers(container), owners: { a: webPaths, b: [".metadata.labels.b"] } },
  ],
  [
    "adds to the environment of a container",
    deployments,
    [
      apply("a", {
        ...web,
        spec: {
          ...web.spec,
          ...containers({ ...container, env: [{ name: "A", value: "1" }] }).spec,
          template: {
            ...template,
            spec: { containers: [{ ...container, env: [{ name: "A", value: "1" }] }] },
          },
        },
      }),
      apply("b", containers({ name: "web", env: [{ name: "B", value: "2" }] })),
    ],
    {
      object: containers({
        ...container,
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
      }),
    },
  ],
  [
    "knows ports by number and protocol, TCP when it is not said",
    deployments,
    [
      apply("a", {
        spec: {
          ...web.spec,
          template: {
            ...template,
            spec: { containers: [{ ...container, ports: [{ containerPort: 53 }] }] },
          },
        },
      }),
      apply("b", containers({ name: "web", ports: [{ containerPort: 53, protocol: "UDP" }] })),
      apply("c", containers({ name: "web", ports: [{ containerPort: 53, protocol: "TCP" }] })),
    ],
    {
      code: 200,
      object: containers({
        ports: [
          { containerPort: 53, protocol: "TCP" },
          { containerPort: 53, protocol: "UDP" },
        ],
      }),
      owners: {
        a: [
          ...webPaths,
          '.spec.template.spec.containers[name="web"].ports[containerPort=53,protocol="TCP"]',
          '.spec.template.spec.containers[name="web"].ports[containerPort=53,protocol="TCP"].containerPort',
        ],
        b: [
          '.spec.template.spec.containers[name="web"]',
          '.spec.template.spec.containers[name="web"].name',
          '.spec.template.spec.containers[name="web"].ports[containerPort=53,protocol="UDP"]',
          ...["containerPort", "protocol"].map(
            (field) =>
              `.spec.template.spec.containers[name="web"].ports[containerPort=53,protocol="UDP"].${field}`,
          ),
        ],
        c: [
          '.spec.template.spec.containers[name="web"]',
          '.spec.template.spec.containers[name="web"].name',
          '.spec.template.spec.containers[name="web"].ports[containerPort=53,protocol="TCP"]',
          ...["containerPort", "protocol"].map(
            (field) =>
              `.spec.template.spec.containers[name="web"].ports[containerPort=53,protocol="TCP"].${field}`,
          ),
        ],
      },
    },
  ],
  [
    "is refused a selector, which is one whole",
    services,
    [
      apply("a", { spec: { selector: { app: "a" }, ports: [{ port: 80 }] } }),
      apply("b", { spec: { selector: { tier: "b" } } }),
    ],
    { code: 409, message: 'conflict with "a": .spec.selector' },
  ],
  [
    "owns no address that the cluster gave",
    services,
    [apply("a", { spec: { selector: { app: "a" }, ports: [{ port: 80, name: "http" }] } })],
    {
      owners: {
        a: [
          ".spec.selector",
          '.spec.ports[port=80,protocol="TCP"]',
          '.spec.ports[port=80,protocol="TCP"].name',
          '.spec.ports[port=80,protocol="TCP"].port',
        ],
      },
    },
  ],
  [
    "adds a port to a Service, and takes it away",
    services,
    [
      apply("a", { spec: { selector: { app: "a" }, ports: [{ port: 80, name: "http" }] } }),
      apply("b", { spec: { ports: [{ port: 443, name: "https" }] } }),
      apply("b", { metadata: { annotations: { b: "1" } } }),
    ],
    { object: { spec: { ports: [{ port: 80 }] } } },
  ],
  [
    "adds a finalizer, which is an item of a set",
    configMaps,
    [
      apply("a", { metadata: { finalizers: ["x.dev/a"] } }),
      apply("b", { metadata: { finalizers: ["x.dev/b"] } }),
      apply("a", { metadata: { finalizers: [] } }),
    ],
    {
      object: { metadata: { finalizers: ["x.dev/b"] } },
      owners: { b: ['.metadata.finalizers[="x.dev/b"]'] },
    },
  ],
  [
    "adds an owner, known by its uid",
    configMaps,
    [
      apply("a", {
        metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "1" }] },
      }),
      apply("b", {
        metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "q", uid: "2" }] },
      }),
    ],
    {
      object: { metadata: { ownerReferences: [{ uid: "1" }, { uid: "2" }] } },
      owners: {
        a: ['.metadata.ownerReferences[uid="1"]'],
        b: ['.metadata.ownerReferences[uid="2"]'],
      },
    },
  ],
  [
    "merges a list whose schema has a key for patches alone as one whole",
    accounts,
    [
      apply("a", { imagePullSecrets: [{ name: "x" }] }),
      apply("b", { imagePullSecrets: [{ name: "y" }] }),
    ],
    { code: 409, message: 'conflict with "a": .imagePullSecrets' },
  ],
  [
    "of a pod cannot change what must not change",
    pods,
    [
      apply("a", { spec: { containers: [container], nodeSelector: { a: "b" } } }),
      apply("a", { spec: { containers: [container], nodeSelector: { a: "c" } } }),
    ],
    { code: 422 },
  ],
  [
    "of a status, by its own entry",
    deployments,
    [apply("a", web), apply("s", { status: { conditions: [condition("X")] } }, { sub: "status" })],
    {
      object: { status: { conditions: [{ type: "X" }] } },
      owners: {
        a: webPaths,
        "s/status": [
          '.status.conditions[type="X"]',
          ...["lastTransitionTime", "lastUpdateTime", "message", "reason", "status", "type"].map(
            (field) => `.status.conditions[type="X"].${field}`,
          ),
        ],
      },
    },
  ],
  [
    "of a status merges conditions by type, and takes its own away",
    deployments,
    [
      apply("a", web),
      apply("s", { status: { conditions: [condition("X")] } }, { sub: "status" }),
      apply("t", { status: { conditions: [condition("Y")] } }, { sub: "status" }),
      apply("s", { status: {} }, { sub: "status" }),
    ],
    { object: { status: { conditions: [{ type: "Y" }] } } },
  ],
  [
    "of a status through the object is nothing",
    deployments,
    [apply("a", { ...web, status: { replicas: 9 } })],
    { absent: ["status.replicas"], owners: { a: webPaths } },
  ],
  [
    "of a spec through the status is nothing",
    deployments,
    [
      apply("a", web),
      apply("s", { spec: { replicas: 9 }, status: { replicas: 1 } }, { sub: "status" }),
    ],
    {
      object: { spec: { replicas: 1 } },
      owners: { a: webPaths, "s/status": [".status.replicas"] },
    },
  ],
  [
    "of a status of what there is not is refused",
    deployments,
    [apply("s", { status: { replicas: 1 } }, { sub: "status" })],
    { code: 404 },
  ],
  [
    "an update of a status is tracked apart",
    deployments,
    [apply("a", web), merge("s", { status: { replicas: 4 } }, { sub: "status" })],
    {
      owners: {
        a: webPaths,
        // With what a status is by default.
        "s/status!": [
          ".status",
          ...["available", "ready", "", "unavailable", "updated"].map((sort) =>
            `.status.${sort}Replicas`.replace(".R", ".r"),
          ),
        ],
      },
    },
  ],
  [
    "a scale takes the replicas",
    deployments,
    [apply("a", web), merge("s", { spec: { replicas: 4 } }, { sub: "scale" })],
    {
      object: { spec: { replicas: 4 } },
      owners: { a: webPaths.slice(1), "s/scale!": [".spec.replicas"] },
    },
  ],
  [
    "is refused the replicas that a scale set",
    deployments,
    [apply("a", web), merge("s", { spec: { replicas: 4 } }, { sub: "scale" }), apply("a", web)],
    {
      code: 409,
      message:
        'Apply failed with 1 conflict: conflict with "s" with subresource "scale" using apps/v1: .spec.replicas',
    },
  ],
  [
    "that gives up the replicas leaves them to the scale",
    deployments,
    [
      apply("a", web),
      merge("s", { spec: { replicas: 4 } }, { sub: "scale" }),
      apply("a", { spec: { selector, template } }),
    ],
    { object: { spec: { replicas: 4 } } },
  ],
  [
    "of a scale that another one manages is refused",
    deployments,
    [apply("a", web), apply("s", scaled(5), { sub: "scale" })],
    { code: 409, message: 'conflict with "a": .spec.replicas', object: { spec: { replicas: 1 } } },
  ],
  [
    "of a scale by force",
    deployments,
    [apply("a", web), force("s", scaled(5), { sub: "scale" })],
    {
      code: 200,
      object: { spec: { replicas: 5 } },
      owners: { a: webPaths.slice(1), "s/scale": [".spec.replicas"] },
    },
  ],
  [
    "of a scale must be a Scale",
    deployments,
    [apply("a", web), apply("s", { spec: { replicas: 5 } }, { sub: "scale" })],
    { code: 400, message: "invalid object type: apps/v1, Kind=Deployment" },
  ],
  [
    "of kubectl takes over what client-side apply set and nobody changed",
    deployments,
    [
      post("kubectl-client-side-apply", {
        ...web,
        metadata: {
          annotations: {
            [lastApplied()]: JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", ...web }),
          },
        },
      }),
      apply("kubectl", { spec: { ...web.spec, replicas: 7 } }),
    ],
    { code: 200, object: { spec: { replicas: 7 } } },
  ],
  [
    "of another one does not",
    deployments,
    [
      post("kubectl-client-side-apply", {
        ...web,
        metadata: {
          annotations: {
            [lastApplied()]: JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", ...web }),
          },
        },
      }),
      apply("me", { spec: { ...web.spec, replicas: 7 } }),
    ],
    {
      code: 409,
      message:
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
    },
  ],
  [
    "of kubectl is refused what was changed since client-side apply",
    deployments,
    [
      post("kubectl-client-side-apply", {
        ...web,
        metadata: {
          annotations: {
            [lastApplied()]: JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", ...web }),
          },
        },
      }),
      merge("someone", { spec: { replicas: 3 } }),
      apply("kubectl", { spec: { ...web.spec, replicas: 7 } }),
    ],
    { code: 409, message: 'conflict with "someone" using apps/v1: .spec.replicas' },
  ],
  [
    "in another version is compared in that of each manager",
    autoscalers("v2"),
    [
      apply("a", {
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "w" },
          minReplicas: 1,
          maxReplicas: 3,
        },
      }),
      apply(
        "b",
        { spec: { targetCPUUtilizationPercentage: 50, maxReplicas: 3 } },
        { at: autoscalers("v1") },
      ),
    ],
    {
      code: 200,
      object: {
        spec: { minReplicas: 1, metrics: [{ resource: { target: { averageUtilization: 50 } } }] },
      },
      owners: {
        a: [
          ".spec.maxReplicas",
          ".spec.minReplicas",
          ".spec.scaleTargetRef.apiVersion",
          ".spec.scaleTargetRef.kind",
          ".spec.scaleTargetRef.name",
        ],
        b: [".spec.maxReplicas", ".spec.targetCPUUtilizationPercentage"],
      },
    },
  ],
  [
    "in another version removes what it said in the first",
    autoscalers("v2"),
    [
      apply("a", {
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "w" },
          minReplicas: 2,
          maxReplicas: 3,
        },
      }),
      apply(
        "a",
        {
          spec: {
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "w" },
            maxReplicas: 4,
          },
        },
        { at: autoscalers("v1") },
      ),
    ],
    { code: 200, object: { spec: { minReplicas: 1, maxReplicas: 4 } } },
  ],
];

function lastApplied(): string {
  return "kubectl.kubernetes.io/last-applied-configuration";
}

describe("an apply", () => {
  test.each(rows.map((row, nth) => [row[0], row, `row-${nth}`] as const))(
    "%s",
    async (_name, [, place, steps, ends], name) => {
      const answers: Answer[] = [];
      for (const one of steps) answers.push(await run(place, name, one));
      for (const answer of answers.slice(0, -1)) expect(answer.text).not.toContain('"Failure"');
      const last = answers.at(-1);
      if (ends.code !== undefined)
        expect([last?.code, last?.text]).toEqual([ends.code, last?.text]);
      if (ends.message !== undefined) expect(last?.body["message"]).toContain(ends.message);
      else expect(last?.text).not.toMatch(/"status":"Failure"(?!.*"code":(404|422))/);
      const { body } = await client.call("GET", `${place.path}/${name}`);
      if (ends.object !== undefined) expect(body).toMatchObject(ends.object);
      for (const path of ends.absent ?? []) expect(at(body, path)).toBeUndefined();
      if (ends.owners !== undefined) expect(owners(body)).toEqual(ends.owners);
    },
  );

  test("tells each conflict as a cause", async () => {
    await run(configMaps, "causes", apply("a", { data: { k: "1", l: "1" } }));
    const { body } = await run(configMaps, "causes", apply("b", { data: { k: "2", l: "2" } }));
    const message = 'conflict with "a"';
    expect(body).toMatchObject({
      reason: "Conflict",
      message: 'Apply failed with 2 conflicts: conflicts with "a":\n- .data.k\n- .data.l',
      details: {
        name: "causes",
        kind: "configmaps",
        causes: [
          { reason: "FieldManagerConflict", message, field: ".data.k" },
          { reason: "FieldManagerConflict", message, field: ".data.l" },
        ],
      },
    });
  });

  test("of what is so writes nothing, not even a time", async () => {
    const first = await run(deployments, "same", apply("a", web));
    const again = await run(deployments, "same", apply("a", web));
    expect(again.body["metadata"]).toEqual(first.body["metadata"]);
    const patched = await run(deployments, "same", merge("u", { spec: { replicas: 1 } }));
    expect(patched.body["metadata"]).toEqual(first.body["metadata"]);
  });

  test("is made in YAML too, but not in CBOR", async () => {
    const bytes = "apiVersion: v1\nkind: ConfigMap\ndata:\n  k: v\n";
    const path = `${configMaps.path}/yaml?fieldManager=a`;
    const contentType = "application/apply-patch+yaml";
    expect((await client.call("PATCH", path, { bytes, contentType })).code).toBe(201);
    const cbor = await client.call("PATCH", path, {
      bytes,
      contentType: "application/apply-patch+cbor",
    });
    expect(cbor).toMatchObject({
      code: 415,
      body: { message: expect.stringContaining("application/apply-patch+yaml") },
    });
  });

  test("makes nothing in a namespace that there is not", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } };
    const contentType = "application/apply-patch+yaml";
    const path = "/api/v1/namespaces/nowhere/configmaps/x?fieldManager=a";
    expect((await client.call("PATCH", path, { body, contentType })).code).toBe(404);
  });

  test("keeps the annotation of client-side apply true", async () => {
    const text = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", data: { k: "1" } });
    const annotations = { [lastApplied()]: text };
    await run(
      configMaps,
      "csa",
      post("kubectl-client-side-apply", { data: { k: "1" }, metadata: { annotations } }),
    );
    const { body } = await run(configMaps, "csa", apply("kubectl", { data: { k: "2" } }));
    const kept = at(body, `metadata.annotations`) as Record<string, string>;
    expect(JSON.parse(kept[lastApplied()] ?? "")).toMatchObject({ data: { k: "2" } });
  });
});

describe("managers that update", () => {
  test("are called after their program, up to the slash", async () => {
    const { body } = await client.call("POST", configMaps.path, {
      body: { metadata: { name: "agent" }, data: { k: "1" } },
    });
    expect(owners(body)).toEqual({ "unknown!": [".data", ".data.k"] });
  });

  test("beyond ten become ancient changes", async () => {
    await run(configMaps, "many", post("m0", { data: { k0: "1" } }));
    for (let nth = 1; nth <= 11; nth += 1) {
      await run(configMaps, "many", merge(`m${nth}`, { data: { [`k${nth}`]: "1" } }));
    }
    const { body } = await client.call("GET", `${configMaps.path}/many`);
    const all = owners(body);
    expect(Object.keys(all)).toHaveLength(10);
    const keys = Object.values(all)
      .flat()
      .filter((path) => path.startsWith(".data.k"));
    expect(new Set(keys).size).toBe(12);
    expect(all["ancient-changes!"]?.length).toBeGreaterThan(1);
  });

  test("are not told apart by what they leave as it is", async () => {
    await run(configMaps, "touch", apply("a", { data: { k: "1" } }));
    const { body } = await run(
      configMaps,
      "touch",
      json("u", [{ op: "replace", path: "/data/k", value: "1" }]),
    );
    expect(owners(body)).toEqual({ a: [".data.k"] });
  });
});

const at = (value: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((held, key) => (held as Record<string, unknown> | undefined)?.[key], value);
