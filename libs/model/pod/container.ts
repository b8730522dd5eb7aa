import * as z from "zod";
import { atomicList, int32, mergeBy, port, setList } from "../field.ts";
import { dnsLabel, portName } from "../names.ts";
import { problem, refuseDuplicates } from "../problem.ts";
import { compareQuantities, resourceList } from "../quantity.ts";
import { envFrom, envVar } from "./env.ts";
import { lifecycle, probe, restartingProbe } from "./probe.ts";
import { securityContext } from "./security-context.ts";

const containerPort = z
  .strictObject({
    name: portName.optional().meta({ proto: 1 }),
    hostPort: port.optional().meta({ proto: 2, description: "Port of the node, rarely needed." }),
    containerPort: port.meta({ proto: 3 }),
    protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP").meta({ proto: 4 }),
    hostIP: z.string().optional().meta({ proto: 5 }),
  })
  .meta({ title: "core.v1.ContainerPort" });

/** What a container may use at most, and what is kept for it. */
export const resourceRequirements = z
  .strictObject({
    limits: resourceList.optional().meta({ proto: 1 }),
    requests: resourceList.optional().meta({ proto: 2 }),
    claims: z
      .array(
        z
          .strictObject({
            name: z.string().meta({ proto: 1 }),
            request: z.string().optional().meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.ResourceClaim" }),
      )
      .optional()
      .meta({
        proto: 3,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
  })
  .superRefine(({ limits = {}, requests = {} }, context) => {
    for (const [name, request] of Object.entries(requests)) {
      const limit = limits[name];
      if (limit === undefined || compareQuantities(request, limit) <= 0) continue;
      const detail = `"${request}": must be less than or equal to ${name} limit of ${limit}`;
      context.addIssue(problem("FieldValueInvalid", ["requests"], detail));
    }
  })
  .meta({ title: "core.v1.ResourceRequirements" });

export const volumeMount = z
  .strictObject({
    name: z.string().min(1).meta({ proto: 1 }),
    readOnly: z.boolean().optional().meta({ proto: 2 }),
    recursiveReadOnly: z.enum(["Disabled", "IfPossible", "Enabled"]).optional().meta({ proto: 7 }),
    mountPath: z.string().min(1).meta({ proto: 3 }),
    subPath: z
      .string()
      .refine((path) => isWithin(path), "must be a relative path without '..'")
      .optional()
      .meta({ proto: 4 }),
    mountPropagation: z
      .enum(["None", "HostToContainer", "Bidirectional"])
      .optional()
      .meta({ proto: 5 }),
    subPathExpr: z
      .string()
      .refine((path) => isWithin(path), "must be a relative path without '..'")
      .optional()
      .meta({ proto: 6 }),
  })
  .meta({ title: "core.v1.VolumeMount" });

/** Whether a path stays in the folder that it is relative to. */
export const isWithin = (path: string): boolean =>
  !path.startsWith("/") && !path.split("/").includes("..");

export const pullPolicy = z.enum(["Always", "Never", "IfNotPresent"]);

const restartRule = z
  .strictObject({
    action: z.enum(["Restart", "RestartAllContainers"]).meta({ proto: 1 }),
    exitCodes: z
      .strictObject({
        operator: z.enum(["In", "NotIn"]).meta({ proto: 1 }),
        values: z
          .array(int32)
          .optional()
          .meta({ proto: 2, ...setList }),
      })
      .meta({ title: "core.v1.ContainerRestartRuleOnExitCodes" })
      .optional()
      .meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.ContainerRestartRule" });

const containerFields = {
  name: dnsLabel.meta({ proto: 1, description: "Unique within the pod." }),
  image: z
    .string()
    .min(1, "Required value")
    .refine((image) => image.trim() === image, "must not have leading or trailing whitespace")
    .meta({ proto: 2, description: "Name of the container image." }),
  command: z
    .array(z.string())
    .optional()
    .meta({ proto: 3, ...atomicList, description: "In place of the image's entrypoint." }),
  args: z
    .array(z.string())
    .optional()
    .meta({ proto: 4, ...atomicList, description: "In place of the image's command." }),
  workingDir: z.string().optional().meta({ proto: 5 }),
  ports: z
    .array(containerPort)
    .optional()
    .meta({
      proto: 6,
      ...mergeBy("containerPort"),
      "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
      description: "Ports that the container serves; for information, and for names.",
    }),
  envFrom: envFrom.meta({ description: "ConfigMaps and Secrets whose keys become variables." }),
  env: z
    .array(envVar)
    .optional()
    .meta({ proto: 7, ...mergeBy("name"), description: "Environment variables." }),
  resources: resourceRequirements
    .prefault({})
    .meta({ proto: 8, description: "Compute resources that it requests and is limited to." }),
  resizePolicy: z
    .array(
      z
        .strictObject({
          resourceName: z.enum(["cpu", "memory"]).meta({ proto: 1 }),
          restartPolicy: z.enum(["NotRequired", "RestartContainer"]).meta({ proto: 2 }),
        })
        .meta({ title: "core.v1.ContainerResizePolicy" }),
    )
    .optional()
    .meta({ proto: 23, ...atomicList }),
  restartPolicy: z
    .enum(["Always", "OnFailure", "Never"])
    .optional()
    .meta({ proto: 24, description: "Always on an init container makes it a sidecar." }),
  restartPolicyRules: z
    .array(restartRule)
    .max(20)
    .optional()
    .meta({ proto: 25, ...atomicList }),
  volumeMounts: z
    .array(volumeMount)
    .optional()
    .meta({
      proto: 9,
      ...mergeBy("mountPath"),
      description: "Volumes to mount into the container's filesystem.",
    }),
  volumeDevices: z
    .array(
      z
        .strictObject({
          name: z.string().meta({ proto: 1 }),
          devicePath: z.string().meta({ proto: 2 }),
        })
        .meta({ title: "core.v1.VolumeDevice" }),
    )
    .optional()
    .meta({ proto: 21, ...mergeBy("devicePath") }),
  livenessProbe: restartingProbe
    .optional()
    .meta({ proto: 10, description: "The container is restarted when it fails." }),
  readinessProbe: probe
    .optional()
    .meta({ proto: 11, description: "The pod leaves its Services while it fails." }),
  startupProbe: restartingProbe
    .optional()
    .meta({ proto: 22, description: "The other probes begin when it has succeeded." }),
  lifecycle: lifecycle.optional().meta({ proto: 12 }),
  terminationMessagePath: z.string().default("/dev/termination-log").meta({ proto: 13 }),
  terminationMessagePolicy: z
    .enum(["File", "FallbackToLogsOnError"])
    .default("File")
    .meta({ proto: 20 }),
  imagePullPolicy: pullPolicy
    .optional()
    .meta({ proto: 14, description: "Always for the tag latest, otherwise IfNotPresent." }),
  securityContext: securityContext.optional().meta({ proto: 15 }),
  stdin: z.boolean().optional().meta({ proto: 16 }),
  stdinOnce: z.boolean().optional().meta({ proto: 17 }),
  tty: z.boolean().optional().meta({ proto: 18 }),
};

type Fields = z.output<z.ZodObject<typeof containerFields>>;

export const container = z
  .strictObject(containerFields)
  .superRefine(checkContainer)
  .overwrite((one) => ({
    ...one,
    imagePullPolicy: one.imagePullPolicy ?? pullPolicyFor(one.image),
  }))
  .meta({ title: "core.v1.Container" });
export type Container = z.output<typeof container>;

/** A container's fields lie in a message of their own there, which JSON inlines. */
const common = Object.fromEntries(
  Object.entries(containerFields).map(([name, field]) => {
    const proto = field.meta()?.proto;
    return [name, field.meta({ proto: [1, typeof proto === "number" ? proto : 0] })];
  }),
) as typeof containerFields; // The same fields, each with another number.

export const ephemeralContainer = z
  .strictObject({ ...common, targetContainerName: z.string().optional().meta({ proto: 2 }) })
  .superRefine(checkContainer)
  .superRefine(checkEphemeral)
  .overwrite((one) => ({
    ...one,
    imagePullPolicy: one.imagePullPolicy ?? pullPolicyFor(one.image),
  }))
  .meta({ title: "core.v1.EphemeralContainer" });

/** Kubernetes' default: what has no tag, or the tag `latest`, may change under its name. */
export function pullPolicyFor(image: string): z.output<typeof pullPolicy> {
  if (image.includes("@")) return "IfNotPresent";
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function checkContainer(
  {
    ports = [],
    volumeMounts = [],
    resources,
    resizePolicy = [],
  }: Pick<Fields, "ports" | "volumeMounts" | "resources" | "resizePolicy">,
  context: z.core.$RefinementCtx,
): void {
  const policies = resizePolicy.map(({ resourceName: value }, at) => ({
    at: ["resizePolicy", at],
    value,
  }));
  refuseDuplicates(context, policies);
  const named = ports.flatMap(({ name }, at) =>
    name === undefined ? [] : [{ at: ["ports", at, "name"], value: name }],
  );
  refuseDuplicates(context, named);
  const paths = new Set<string>();
  for (const [at, { mountPath, subPath, subPathExpr }] of volumeMounts.entries()) {
    if (paths.has(mountPath)) {
      const detail = `${JSON.stringify(mountPath)}: must be unique`;
      context.addIssue(problem("FieldValueInvalid", ["volumeMounts", at, "mountPath"], detail));
    }
    paths.add(mountPath);
    if (subPath !== undefined && subPathExpr !== undefined) {
      const detail = "subPathExpr and subPath are mutually exclusive";
      context.addIssue(problem("FieldValueInvalid", ["volumeMounts", at, "subPathExpr"], detail));
    }
  }
  for (const list of ["limits", "requests"] as const) {
    for (const name of Object.keys(resources[list] ?? {})) {
      if (isContainerResource(name)) continue;
      const detail = `${JSON.stringify(name)}: must be a standard resource for containers`;
      context.addIssue(problem("FieldValueInvalid", ["resources", list, name], detail));
    }
  }
}

/** What only containers have that a pod is made for: nobody is to rely on one that was added to it. */
const notEphemeral = [
  "ports",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;

function checkEphemeral(
  one: Pick<Fields, (typeof notEphemeral)[number] | "resources" | "volumeMounts">,
  context: z.core.$RefinementCtx,
): void {
  const set = notEphemeral.filter((field) => one[field] !== undefined);
  const asks = Object.values(one.resources).some((list) => list !== undefined);
  const paths = [...set, ...(asks ? ["resources"] : [])].map((field): (string | number)[] => [
    field,
  ]);
  for (const [at, mount] of (one.volumeMounts ?? []).entries()) {
    for (const field of ["subPath", "subPathExpr"] as const) {
      if ((mount[field] ?? "") !== "") paths.push(["volumeMounts", at, field]);
    }
  }
  for (const path of paths) {
    const detail = "cannot be set for an Ephemeral Container";
    context.addIssue(problem("FieldValueForbidden", path, detail));
  }
}

/** A resource that a container may ask for; one with a slash is an extended one. */
export const isContainerResource = (name: string): boolean =>
  ["cpu", "memory", "ephemeral-storage"].includes(name) ||
  name.startsWith("hugepages-") ||
  name.includes("/");
