import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import { pod, type Pod } from "./pod.ts";

const web = { name: "web", image: "web:v1" };
const aPod = (spec: object = {}, status?: object, metadata: object = {}): Pod =>
  parse(pod, {
    metadata: { name: "web", ...metadata },
    spec: { containers: [web], ...spec },
    ...(status !== undefined && { status }),
  });

/** The fields that a spec is refused for. */
function refused(spec: object): readonly string[] {
  try {
    aPod(spec);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field, reason }) => `${field} ${reason}`);
  }
  return [];
}

describe("a Pod's defaults", () => {
  test("are Kubernetes'", () => {
    expect(aPod().spec).toEqual({
      containers: [
        {
          ...web,
          resources: {},
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
          imagePullPolicy: "IfNotPresent",
        },
      ],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      securityContext: {},
      schedulerName: "default-scheduler",
      enableServiceLinks: true,
    });
  });

  test.each([
    ["web", "Always"],
    ["web:latest", "Always"],
    ["web:v1", "IfNotPresent"],
    ["registry:5000/web", "Always"],
    ["registry:5000/web:v1", "IfNotPresent"],
    ["web@sha256:0123", "IfNotPresent"],
  ])("pull %s %s", (image, policy) => {
    const [container] = aPod({ containers: [{ name: "web", image }] }).spec.containers;
    expect(container?.imagePullPolicy).toBe(policy);
  });

  test("request what is limited and not requested", () => {
    const resources = { limits: { cpu: "1", memory: "64Mi" }, requests: { cpu: "0.1" } };
    const [container] = aPod({ containers: [{ ...web, resources }] }).spec.containers;
    expect(container?.resources.requests).toEqual({ cpu: "100m", memory: "64Mi" });
  });

  test("time a probe", () => {
    const readinessProbe = { httpGet: { port: "http" } };
    const [container] = aPod({ containers: [{ ...web, readinessProbe }] }).spec.containers;
    expect(container?.readinessProbe).toEqual({
      httpGet: { port: "http", path: "/", scheme: "HTTP" },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
  });

  test("give a volume without source an empty folder, and files their mode", () => {
    const volumes = [{ name: "a" }, { name: "b", configMap: { name: "c" } }];
    expect(aPod({ volumes }).spec.volumes).toEqual([
      { name: "a", emptyDir: {} },
      { name: "b", configMap: { name: "c", defaultMode: 0o644 } },
    ]);
  });

  test("use the node's ports on the node's network", () => {
    const containers = [{ ...web, ports: [{ containerPort: 80 }] }];
    const [container] = aPod({ containers, hostNetwork: true }).spec.containers;
    expect(container?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: "TCP" }]);
  });
});

describe("a Pod is refused", () => {
  const tcp = { tcpSocket: { port: 80 } };
  test.each<[string, object, string]>([
    [
      "two containers of a name",
      { containers: [web, web] },
      "spec.containers[1].name FieldValueDuplicate",
    ],
    [
      "an init container with the name of another",
      { initContainers: [web] },
      "spec.initContainers[0].name FieldValueDuplicate",
    ],
    [
      "a mount of no volume",
      { containers: [{ ...web, volumeMounts: [{ name: "no", mountPath: "/a" }] }] },
      "spec.containers[0].volumeMounts[0].name FieldValueNotFound",
    ],
    [
      "a volume of two kinds",
      { volumes: [{ name: "a", emptyDir: {}, hostPath: { path: "/" } }] },
      "spec.volumes[0].emptyDir FieldValueForbidden",
    ],
    [
      "a value from two places",
      {
        containers: [
          {
            ...web,
            env: [
              { name: "A", value: "b", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            ],
          },
        ],
      },
      "spec.containers[0].env[0].valueFrom FieldValueInvalid",
    ],
    [
      "a value from nowhere",
      { containers: [{ ...web, env: [{ name: "A", valueFrom: {} }] }] },
      "spec.containers[0].env[0].valueFrom FieldValueRequired",
    ],
    [
      "a field that no pod has",
      {
        containers: [
          { ...web, env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] },
        ],
      },
      "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath FieldValueInvalid",
    ],
    [
      "a request above its limit",
      { containers: [{ ...web, resources: { limits: { cpu: "1" }, requests: { cpu: "1100m" } } }] },
      "spec.containers[0].resources.requests FieldValueInvalid",
    ],
    [
      "a negative quantity",
      { containers: [{ ...web, resources: { limits: { cpu: "-1" } } }] },
      "spec.containers[0].resources.limits.cpu FieldValueInvalid",
    ],
    [
      "a resource that there is not",
      { containers: [{ ...web, resources: { limits: { gpu: "1" } } }] },
      "spec.containers[0].resources.limits.gpu FieldValueInvalid",
    ],
    [
      "a probe without handler",
      { containers: [{ ...web, readinessProbe: {} }] },
      "spec.containers[0].readinessProbe FieldValueRequired",
    ],
    [
      "a probe with two",
      { containers: [{ ...web, readinessProbe: { ...tcp, exec: { command: ["a"] } } }] },
      "spec.containers[0].readinessProbe.tcpSocket FieldValueForbidden",
    ],
    [
      "a liveness probe that must succeed twice",
      { containers: [{ ...web, livenessProbe: { ...tcp, successThreshold: 2 } }] },
      "spec.containers[0].livenessProbe.successThreshold FieldValueInvalid",
    ],
    [
      "a probed init container",
      { initContainers: [{ ...web, name: "init", livenessProbe: tcp }] },
      "spec.initContainers[0].livenessProbe FieldValueForbidden",
    ],
    [
      "no name server where DNS is its own",
      { dnsPolicy: "None" },
      "spec.dnsConfig.nameservers FieldValueRequired",
    ],
    [
      "seconds for a taint that evicts nobody",
      { tolerations: [{ key: "a", effect: "NoSchedule", tolerationSeconds: 5 }] },
      "spec.tolerations[0].effect FieldValueInvalid",
    ],
    [
      "a port's name in capitals",
      { containers: [{ ...web, ports: [{ name: "HTTP", containerPort: 80 }] }] },
      "spec.containers[0].ports[0].name FieldValueInvalid",
    ],
    [
      "a path out of its volume",
      {
        volumes: [{ name: "a", secret: { secretName: "s", items: [{ key: "k", path: "../k" }] } }],
      },
      "spec.volumes[0].secret.items[0].path FieldValueInvalid",
    ],
  ])("for %s", (_name, spec, expected) => {
    expect(refused(spec)).toEqual([expected]);
  });

  test("a sidecar may be probed", () => {
    const sidecar = { ...web, name: "side", restartPolicy: "Always", startupProbe: tcp };
    expect(refused({ initContainers: [sidecar] })).toEqual([]);
  });
});

describe("an update of a Pod", () => {
  const causes = (before: object, after: object) =>
    pod.validateUpdate(aPod(before), aPod(after)).map(({ field }) => field);
  const toleration = { key: "a", operator: "Exists" };

  test("may change an image, shorten its deadline, and tolerate more", () => {
    const after = {
      containers: [{ ...web, image: "web:v2" }],
      activeDeadlineSeconds: 5,
      tolerations: [toleration],
    };
    expect(causes({ activeDeadlineSeconds: 10 }, after)).toEqual([]);
  });

  test.each<[string, object, object, string]>([
    ["its command", {}, { containers: [{ ...web, command: ["a"] }] }, "spec"],
    ["its node", {}, { nodeName: "n1" }, "spec"],
    [
      "its deadline to later",
      { activeDeadlineSeconds: 5 },
      { activeDeadlineSeconds: 6 },
      "spec.activeDeadlineSeconds",
    ],
    ["its tolerations to fewer", { tolerations: [toleration] }, {}, "spec.tolerations"],
    ["its gates to more", {}, { schedulingGates: [{ name: "g" }] }, "spec.schedulingGates"],
  ])("may not change %s", (_name, before, after, field) => {
    expect(causes(before, after)).toEqual([field]);
  });
});

describe("kubectl get pods", () => {
  const now = Date.parse("2026-01-01T01:00:00Z");
  const shown = (one: Pod) =>
    Object.fromEntries(pod.columns.map((column) => [column.name, column.read(one, now)]));
  const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
  const crashing = { waiting: { reason: "CrashLoopBackOff" } };
  const ended = (exitCode: number, more: object = {}) => ({ terminated: { exitCode, ...more } });
  const container = (state: object, more: object = {}) => ({ name: "web", state, ...more });
  const sidecar = {
    initContainers: [
      { name: "side", image: "x:1", restartPolicy: "Always" },
      { name: "i2", image: "x:1" },
    ],
  };
  const init = {
    initContainers: [
      { name: "i1", image: "x:1" },
      { name: "i2", image: "x:1" },
    ],
  };

  test.each<[string, object, object | undefined, object, string]>([
    ["nothing yet", {}, undefined, {}, "Pending"],
    [
      "running",
      {},
      { phase: "Running", containerStatuses: [container(running, { ready: true })] },
      {},
      "Running",
    ],
    [
      "in a crash loop",
      {},
      { phase: "Running", containerStatuses: [container(crashing)] },
      {},
      "CrashLoopBackOff",
    ],
    [
      "ended well",
      {},
      { phase: "Succeeded", containerStatuses: [container(ended(0, { reason: "Completed" }))] },
      {},
      "Completed",
    ],
    [
      "ended badly",
      {},
      { phase: "Failed", containerStatuses: [container(ended(3))] },
      {},
      "ExitCode:3",
    ],
    [
      "killed",
      {},
      { phase: "Failed", containerStatuses: [container(ended(137, { signal: 9 }))] },
      {},
      "Signal:9",
    ],
    ["evicted", {}, { phase: "Failed", reason: "Evicted" }, {}, "Evicted"],
    [
      "being deleted",
      {},
      { phase: "Running" },
      { deletionTimestamp: "2026-01-01T00:59:00Z" },
      "Terminating",
    ],
    [
      "ended, being deleted",
      {},
      { phase: "Succeeded" },
      { deletionTimestamp: "2026-01-01T00:59:00Z" },
      "Succeeded",
    ],
    [
      "in its first init container",
      init,
      { initContainerStatuses: [{ name: "i1", state: running }] },
      {},
      "Init:0/2",
    ],
    [
      "in its second",
      init,
      {
        initContainerStatuses: [
          { name: "i1", state: ended(0) },
          { name: "i2", state: {} },
        ],
      },
      {},
      "Init:1/2",
    ],
    [
      "in a failed one",
      init,
      { initContainerStatuses: [{ name: "i1", state: ended(1, { reason: "Error" }) }] },
      {},
      "Init:Error",
    ],
    [
      "in one that loops",
      init,
      { initContainerStatuses: [{ name: "i1", state: crashing }] },
      {},
      "Init:CrashLoopBackOff",
    ],
    [
      "starting its sidecar",
      sidecar,
      { initContainerStatuses: [{ name: "side", state: running, started: false }] },
      {},
      "Init:0/2",
    ],
    [
      "past its sidecar",
      sidecar,
      {
        initContainerStatuses: [
          { name: "side", state: running, started: true },
          { name: "i2", state: running },
        ],
      },
      {},
      "Init:1/2",
    ],
    [
      "done, its sidecar ended with it",
      sidecar,
      {
        phase: "Succeeded",
        conditions: [{ type: "Initialized", status: "True" }],
        initContainerStatuses: [
          { name: "side", state: ended(143, { reason: "Error" }) },
          { name: "i2", state: ended(0) },
        ],
        containerStatuses: [container(ended(0, { reason: "Completed" }))],
      },
      {},
      "Completed",
    ],
    [
      "gated",
      {},
      { conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
      {},
      "SchedulingGated",
    ],
  ])("shows one that is %s", (_name, spec, status, metadata, expected) => {
    expect(shown(aPod(spec, status, metadata))["Status"]).toBe(expected);
  });

  test("counts ready containers, and restarts with the time of the last", () => {
    const status = {
      phase: "Running",
      podIP: "10.1.2.3",
      containerStatuses: [
        container(running, {
          ready: true,
          restartCount: 3,
          lastState: ended(1, { finishedAt: "2026-01-01T00:58:00Z" }),
        }),
      ],
    };
    const spec = { nodeName: "n1", containers: [web, { name: "other", image: "o:1" }] };
    const one = aPod(spec, status, { creationTimestamp: "2026-01-01T00:00:00Z" });
    expect(shown(one)).toEqual({
      Name: "web",
      Ready: "1/2",
      Status: "Running",
      Restarts: "3 (2m ago)",
      Age: "60m",
      IP: "10.1.2.3",
      Node: "n1",
      "Nominated Node": "<none>",
      "Readiness Gates": "<none>",
    });
  });
});
