/** Valid objects with something in most places, from which the others are made. */
const labels = { app: "web" };
export const metadata = { name: "web", labels, annotations: { note: "x" } };
const container = {
  name: "web",
  image: "web:v1",
  command: ["run"],
  ports: [{ name: "http", containerPort: 80 }],
  env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
  envFrom: [{ configMapRef: { name: "c" } }],
  resources: { limits: { cpu: "500m", memory: "64Mi" } },
  readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 1 },
  volumeMounts: [{ name: "v", mountPath: "/v" }],
};
const podSpec = {
  containers: [container],
  volumes: [{ name: "v", projected: { sources: [{ secret: { name: "s" } }] } }],
  tolerations: [{ key: "a", operator: "Exists" }],
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } },
};
const template = { metadata: { labels }, spec: podSpec };
const selector = { matchLabels: labels };

/** By the plural of their kinds; a few that are no objects beside them. */
export const manifests: Readonly<Record<string, object>> = {
  pods: { metadata, spec: podSpec },
  namespaces: { metadata },
  deployments: {
    metadata,
    spec: { replicas: 1, selector, template, strategy: { rollingUpdate: { maxSurge: "10%" } } },
  },
  statefulsets: { metadata, spec: { replicas: 1, selector, template, serviceName: "web" } },
  jobs: {
    metadata,
    spec: {
      template: { ...template, spec: { ...podSpec, restartPolicy: "Never" } },
      completions: 2,
    },
  },
  cronjobs: {
    metadata,
    spec: {
      schedule: "*/5 * * * *",
      jobTemplate: {
        spec: { template: { ...template, spec: { ...podSpec, restartPolicy: "Never" } } },
      },
      concurrencyPolicy: "Forbid",
    },
  },
  services: {
    metadata,
    spec: { type: "NodePort", selector: labels, ports: [{ port: 80, targetPort: "http" }] },
  },
  configmaps: { metadata, data: { a: "b", "b.txt": "ü" }, binaryData: { c: "aGVsbG8=" } },
  secrets: { metadata, type: "Opaque", data: { a: "aGVsbG8=" }, stringData: { b: "c" } },
  poddisruptionbudgets: { metadata, spec: { minAvailable: "50%", selector } },
  resourcequotas: { metadata, spec: { hard: { pods: "1000", configmaps: "1000" } } },
  limitranges: {
    metadata,
    spec: { limits: [{ type: "Container", default: { cpu: "1" }, max: { cpu: "2" } }] },
  },
  horizontalpodautoscalers: {
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      maxReplicas: 3,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
    },
  },
  persistentvolumeclaims: {
    metadata,
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  },
  nodes: {
    metadata,
    spec: { taints: [{ key: "a", effect: "NoSchedule" }], podCIDR: "10.0.0.0/24" },
  },
  leases: { metadata, spec: { holderIdentity: "me", renewTime: "2026-01-01T00:00:00.000000Z" } },
  events: {
    metadata,
    involvedObject: { kind: "Pod", name: "web", namespace: "default" },
    reason: "Started",
    message: "x",
    type: "Normal",
  },
  options: { propagationPolicy: "Background", preconditions: { uid: "x" } },
  review: { spec: { resourceAttributes: { verb: "get", resource: "pods" } } },
};
