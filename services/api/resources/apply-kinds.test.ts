/** Server-side apply of what has keys, parts and versions. */
import { describe } from "vitest";
import {
  accounts,
  apply,
  autoscalers,
  condition,
  configMaps,
  container,
  containers,
  deployments,
  expectRows,
  force,
  lastApplied,
  merge,
  pods,
  post,
  scaled,
  selector,
  services,
  template,
  web,
  webPaths,
  withGateway,
  type Row,
} from "./apply-fixture.ts";

const rows: readonly Row[] = [
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

describe("an apply", () => {
  withGateway();
  expectRows(rows);
});
