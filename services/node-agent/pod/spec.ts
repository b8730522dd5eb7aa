/** What of a v1 PodSpec the agent acts on. Admission has validated and defaulted it; the rest is kept out. */
import * as z from "zod";
import { hostPathTypes } from "../../../libs/model/pod/host-path-type.ts";
import { assignment, type Assignment } from "../../../libs/protocol/node.ts";

const quantities = z.record(z.string(), z.union([z.string(), z.number()]).transform(String));
const port = z.union([z.int(), z.string()]);
const keyRef = z.object({
  name: z.string().default(""),
  key: z.string(),
  optional: z.boolean().optional(),
});
const objectRef = z.object({ name: z.string().default(""), optional: z.boolean().optional() });
const fieldRef = z.object({ fieldPath: z.string() });
const resourceFieldRef = z.object({
  containerName: z.string().optional(),
  resource: z.string(),
  divisor: z.union([z.string(), z.number()]).transform(String).optional(),
});
const httpGet = z.object({
  path: z.string().optional(),
  port,
  host: z.string().optional(),
  scheme: z.string().optional(),
  httpHeaders: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
});
const handler = z.object({
  httpGet: httpGet.optional(),
  tcpSocket: z.object({ port, host: z.string().optional() }).optional(),
  exec: z.object({ command: z.array(z.string()).default([]) }).optional(),
  sleep: z.object({ seconds: z.number() }).optional(),
});
const probe = handler.extend({
  initialDelaySeconds: z.number().default(0),
  timeoutSeconds: z.number().default(1),
  periodSeconds: z.number().default(10),
  successThreshold: z.number().default(1),
  failureThreshold: z.number().default(3),
  terminationGracePeriodSeconds: z.number().optional(),
});
const securityContext = z.object({
  runAsUser: z.number().optional(),
  runAsGroup: z.number().optional(),
  privileged: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  capabilities: z
    .object({ add: z.array(z.string()).optional(), drop: z.array(z.string()).optional() })
    .optional(),
  fsGroup: z.number().optional(),
  supplementalGroups: z.array(z.number()).optional(),
  sysctls: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
});
const envVar = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .object({
      fieldRef: fieldRef.optional(),
      resourceFieldRef: resourceFieldRef.optional(),
      configMapKeyRef: keyRef.optional(),
      secretKeyRef: keyRef.optional(),
    })
    .optional(),
});
const container = z.object({
  name: z.string(),
  image: z.string().default(""),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  workingDir: z.string().optional(),
  ports: z
    .array(
      z.object({
        name: z.string().optional(),
        containerPort: z.int(),
        hostPort: z.int().optional(),
        hostIP: z.string().optional(),
        protocol: z.string().default("TCP"),
      }),
    )
    .default([]),
  env: z.array(envVar).default([]),
  envFrom: z
    .array(
      z.object({
        prefix: z.string().default(""),
        configMapRef: objectRef.optional(),
        secretRef: objectRef.optional(),
      }),
    )
    .default([]),
  resources: z
    .object({ requests: quantities.optional(), limits: quantities.optional() })
    .default({}),
  resizePolicy: z
    .array(z.object({ resourceName: z.string(), restartPolicy: z.string() }))
    .default([]),
  volumeMounts: z
    .array(
      z.object({
        name: z.string(),
        mountPath: z.string(),
        subPath: z.string().optional(),
        subPathExpr: z.string().optional(),
        readOnly: z.boolean().optional(),
      }),
    )
    .default([]),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z.object({ postStart: handler.optional(), preStop: handler.optional() }).optional(),
  imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
  securityContext: securityContext.optional(),
  restartPolicy: z.enum(["Always", "OnFailure", "Never"]).optional(),
  terminationMessagePath: z.string().default("/dev/termination-log"),
  terminationMessagePolicy: z.enum(["File", "FallbackToLogsOnError"]).default("File"),
  stdin: z.boolean().default(false),
  stdinOnce: z.boolean().default(false),
  tty: z.boolean().default(false),
});
const ephemeralContainer = container.extend({
  /** Whose processes it sees; empty: nobody's. */
  targetContainerName: z.string().default(""),
});
const items = z
  .array(z.object({ key: z.string(), path: z.string(), mode: z.int().optional() }))
  .optional();
const downwardItems = z
  .array(
    z.object({
      path: z.string(),
      fieldRef: fieldRef.optional(),
      resourceFieldRef: resourceFieldRef.optional(),
      mode: z.int().optional(),
    }),
  )
  .default([]);
const defaultMode = z.int().default(0o644);
const configSource = z.object({
  name: z.string().default(""),
  items,
  optional: z.boolean().optional(),
});
const volume = z.object({
  name: z.string(),
  emptyDir: z
    .object({
      medium: z.string().optional(),
      sizeLimit: z.union([z.string(), z.number()]).transform(String).optional(),
    })
    .optional(),
  hostPath: z
    .object({
      path: z.string(),
      type: z.enum(hostPathTypes).default(""),
    })
    .optional(),
  configMap: configSource.extend({ defaultMode }).optional(),
  secret: z
    .object({
      secretName: z.string().default(""),
      items,
      optional: z.boolean().optional(),
      defaultMode,
    })
    .optional(),
  downwardAPI: z.object({ items: downwardItems, defaultMode }).optional(),
  persistentVolumeClaim: z
    .object({ claimName: z.string(), readOnly: z.boolean().default(false) })
    .optional(),
  projected: z
    .object({
      defaultMode,
      sources: z
        .array(
          z.object({
            configMap: configSource.optional(),
            secret: configSource.optional(),
            downwardAPI: z.object({ items: downwardItems }).optional(),
            serviceAccountToken: z
              .object({
                audience: z.string().default(""),
                expirationSeconds: z.number().default(3_600),
                path: z.string(),
              })
              .optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});

const podSpec = z.object({
  containers: z.array(container).min(1),
  initContainers: z.array(container).default([]),
  ephemeralContainers: z.array(ephemeralContainer).default([]),
  volumes: z.array(volume).default([]),
  restartPolicy: z.enum(["Always", "OnFailure", "Never"]).default("Always"),
  terminationGracePeriodSeconds: z.number().default(30),
  activeDeadlineSeconds: z.number().optional(),
  dnsPolicy: z
    .enum(["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])
    .default("ClusterFirst"),
  dnsConfig: z
    .object({
      nameservers: z.array(z.string()).optional(),
      searches: z.array(z.string()).optional(),
      options: z
        .array(z.object({ name: z.string().default(""), value: z.string().optional() }))
        .optional(),
    })
    .optional(),
  hostNetwork: z.boolean().default(false),
  hostPID: z.boolean().default(false),
  hostIPC: z.boolean().default(false),
  shareProcessNamespace: z.boolean().default(false),
  hostname: z.string().optional(),
  subdomain: z.string().optional(),
  nodeName: z.string().optional(),
  serviceAccountName: z.string().optional(),
  securityContext: securityContext.optional(),
  hostAliases: z
    .array(z.object({ ip: z.string(), hostnames: z.array(z.string()).default([]) }))
    .default([]),
  readinessGates: z.array(z.object({ conditionType: z.string() })).default([]),
});

export type PodSpec = z.output<typeof podSpec>;
export type Container = PodSpec["containers"][number];
export type Probe = z.output<typeof probe>;
export type Handler = z.output<typeof handler>;
export type Volume = PodSpec["volumes"][number];
export type ResourceFieldRef = z.output<typeof resourceFieldRef>;

/** An assignment whose spec has been read. */
export type PodWork = Omit<Assignment, "spec"> & { readonly spec: PodSpec };

/** @throws {z.ZodError} when it is no assignment */
export function parseWork(input: unknown): PodWork {
  const read = assignment.parse(input);
  return { ...read, spec: podSpec.parse(read.spec) };
}

/** An init container that keeps running beside the containers. */
export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === "Always";

/** What runs at once: the containers, and the sidecars beside them. */
export const lasting = ({ containers, initContainers }: PodSpec): readonly Container[] => [
  ...initContainers.filter(isSidecar),
  ...containers,
];

/** All that have a name in the pod. */
export const allContainers = (spec: PodSpec): readonly Container[] => [
  ...spec.initContainers,
  ...spec.containers,
  ...spec.ephemeralContainers,
];

/** One that was added to the pod while that ran; the pod does not care how it fares. */
export const isEphemeral = ({ ephemeralContainers }: PodSpec, container: string): boolean =>
  ephemeralContainers.some(({ name }) => name === container);

/** A volume that lies in memory, as long as something mounts it. */
export const isMemory = ({ emptyDir }: Volume): boolean => emptyDir?.medium === "Memory";

/**
 * Several containers share the network namespace of a sandbox, and its processes' where they are to;
 * and a sandbox keeps what lies in memory. One container alone has its own.
 */
export const needsSandbox = (spec: PodSpec): boolean =>
  (!spec.hostNetwork && lasting(spec).length > 1) ||
  spec.shareProcessNamespace ||
  spec.volumes.some(isMemory);
