/** What the cluster, rather than the schema, fills in when an object of a kind is made or changed. */
import { addressKey } from "../cluster/address-claim.ts";
import { allocKey } from "../cluster/key.ts";
import { type Cause, invalid } from "../model/errors.ts";
import { definitionStatus } from "../model/custom/definition-status.ts";
import {
  customResourceDefinition,
  type CustomResourceDefinition,
} from "../model/kinds/customresourcedefinition.ts";
import { job as jobKind } from "../model/kinds/job.ts";
import { type Pod, pod as podKind } from "../model/kinds/pod.ts";
import { service as serviceKind } from "../model/kinds/service.ts";
import { freeClusterAddress, freeNodePort } from "./allocate.ts";
import { type AdmissionContext, type AnyObject, timestamp } from "./context.ts";
import { limitPod } from "./limits/limit.ts";
import { prepareAddress, prepareRange } from "./prepare-address.ts";
import { withAccount } from "./prepare-account.ts";
import { selectOwnPods } from "./prepare-job.ts";
import { prepareClass, withPriority } from "./prepare-priority.ts";
import { marked, withSize } from "./prepare-size.ts";
import { prepareIngress, withRuntime } from "./prepare-runtime.ts";
import { prepareClaim, prepareVolume } from "./prepare-storage.ts";
import { withOwnLabels } from "./prepare-terms.ts";
import { withTemplateGeneration } from "./template-generation.ts";

type Prepare = (
  object: AnyObject,
  before: AnyObject | undefined,
  context: AdmissionContext,
) => AnyObject;

const preparations: Readonly<Record<string, Prepare>> = {
  "v1/Pod": preparePod,
  "v1/Service": prepareService,
  "v1/Namespace": prepareNamespace,
  "v1/PersistentVolume": prepareVolume,
  "v1/PersistentVolumeClaim": prepareClaim,
  "apps/v1/DaemonSet": withTemplateGeneration,
  "batch/v1/Job": prepareJob,
  "apiextensions.k8s.io/v1/CustomResourceDefinition": prepareDefinition,
  "certificates.k8s.io/v1/CertificateSigningRequest": keepSpec,
  "networking.k8s.io/v1/Ingress": prepareIngress,
  "networking.k8s.io/v1/IPAddress": prepareAddress,
  "networking.k8s.io/v1/ServiceCIDR": prepareRange,
  "scheduling.k8s.io/v1/PriorityClass": prepareClass,
};

/**
 * `object` with what its kind's preparation adds; unchanged for kinds that need none.
 *
 * @throws {ApiError} Invalid when a value that the user chose is taken
 */
export function prepare(
  object: AnyObject,
  before: AnyObject | undefined,
  context: AdmissionContext,
): AnyObject {
  return preparations[`${object.apiVersion}/${object.kind}`]?.(object, before, context) ?? object;
}

/** Its names are judged as it is written: a definition that has them is served from then on. */
function prepareDefinition(
  object: AnyObject,
  before: AnyObject | undefined,
  { view, now }: AdmissionContext,
): AnyObject {
  const definition = { ...object, status: before?.status ?? object.status };
  const self = definition as unknown as CustomResourceDefinition; // Parsed as one.
  const others = view.list(customResourceDefinition);
  return { ...object, status: definitionStatus(self, others, timestamp(now)) };
}

const nodeProblems = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Kubernetes' DefaultTolerationSeconds, with the cluster's own number of seconds; phase Pending. */
function preparePod(
  asked: AnyObject,
  before: AnyObject | undefined,
  context: AdmissionContext,
): AnyObject {
  const { settings, view } = context;
  if (before !== undefined) return withSize(asked, before, context);
  refuseEphemeral(asked);
  const own = withOwnLabels(asked as unknown as Pod); // Parsed as a Pod.
  const pod = withPriority(withRuntime(marked(loose(own), undefined), view), view);
  const tolerations = (pod.spec?.["tolerations"] ?? []) as readonly Toleration[]; // Parsed as a Pod.
  const missing = nodeProblems.filter((key) => !tolerations.some((one) => covers(one, key)));
  const added = missing.map((key) => ({
    key,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: settings.tolerationSeconds,
  }));
  const limited = limitPod(pod as unknown as Pod, view); // Parsed as a Pod.
  const spec = withAccount(limited, context);
  return {
    ...loose(limited),
    spec: { ...spec, tolerations: [...tolerations, ...added] },
    status: { phase: "Pending" },
  };
}

/** They are added to pods that are there. @throws {ApiError} Invalid */
function refuseEphemeral({ metadata, spec }: AnyObject): void {
  const given = spec?.["ephemeralContainers"];
  if (!Array.isArray(given) || given.length === 0) return;
  const cause = {
    reason: "FieldValueForbidden",
    field: "spec.ephemeralContainers",
    message: "Forbidden: cannot be set on create",
  };
  throw invalid(podKind, metadata.name, [cause]);
}

const loose = (object: object) => object as AnyObject; // An object of a kind.

type Toleration = { readonly key?: string; readonly effect?: string };

const covers = ({ key, effect }: Toleration, problem: string): boolean =>
  (key === undefined || key === "" || key === problem) &&
  (effect === undefined || effect === "" || effect === "NoExecute");

type ServiceSpec = {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly ports?: readonly { readonly nodePort?: number; readonly protocol?: string }[];
};

/** Cluster addresses and node ports: kept from before, taken as asked for, or allocated (O4). */
function prepareService(
  service: AnyObject,
  before: AnyObject | undefined,
  context: AdmissionContext,
): AnyObject {
  const spec = (service.spec ?? {}) as ServiceSpec; // Parsed as a Service.
  const was = (before?.spec ?? {}) as ServiceSpec; // As above.
  if (spec.type === "ExternalName") {
    const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec;
    return { ...service, spec: rest, status: service.status ?? { loadBalancer: {} } };
  }
  const asked = spec.clusterIP === "" ? undefined : spec.clusterIP;
  const address = asked ?? was.clusterIP ?? freeClusterAddress(context);
  const causes: Cause[] = [];
  if (address !== "None" && address !== was.clusterIP && isTaken(addressKey(address), context)) {
    causes.push(
      causeOf("spec.clusterIPs", `Invalid value: ["${address}"]: provided IP is already allocated`),
    );
  }
  const ports = portsOf(spec, was, context, causes);
  if (causes.length > 0) throw invalid(serviceKind, service.metadata.name, causes);
  return {
    ...service,
    spec: { ...spec, clusterIP: address, clusterIPs: [address], ports },
    status: service.status ?? { loadBalancer: {} },
  };
}

function portsOf(
  { type, ports = [] }: ServiceSpec,
  was: ServiceSpec,
  context: AdmissionContext,
  causes: Cause[],
): ServiceSpec["ports"] {
  if (type !== "NodePort" && type !== "LoadBalancer")
    return ports.map(({ nodePort: _none, ...port }) => port);
  const had = new Set((was.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []));
  const [first, last] = context.settings.nodePorts;
  const taken = new Set(ports.flatMap(({ nodePort }) => nodePort ?? []));
  return ports.map((port, nth) => {
    const field = `spec.ports[${nth}].nodePort`;
    if (port.nodePort === undefined || port.nodePort === 0) {
      const kept = keptPort(was, nth, taken);
      const nodePort = kept ?? freeNodePort(context, taken);
      taken.add(nodePort);
      return { ...port, nodePort };
    }
    if (had.has(port.nodePort)) return port;
    const shown = `Invalid value: ${port.nodePort}: provided port`;
    if (port.nodePort < first || port.nodePort > last) {
      causes.push(
        causeOf(
          field,
          `${shown} is not in the valid range. The range of valid ports is ${first}-${last}`,
        ),
      );
    } else if (isTaken(allocKey("node-port", port.nodePort), context)) {
      causes.push(causeOf(field, `${shown} is already allocated`));
    }
    return port;
  });
}

/** The port that the same entry had before, so that an apply without node ports keeps them. */
function keptPort(was: ServiceSpec, nth: number, taken: ReadonlySet<number>): number | undefined {
  const kept = was.ports?.[nth]?.nodePort;
  return kept === undefined || kept === 0 || taken.has(kept) ? undefined : kept;
}

const isTaken = (key: string, { view }: AdmissionContext) => view.raw.get(key) !== undefined;

const causeOf = (field: string, message: string): Cause => ({
  reason: "FieldValueInvalid",
  field,
  message,
});

/** What was asked for, and by whom, stays: an update changes metadata alone. */
function keepSpec(request: AnyObject, before: AnyObject | undefined): AnyObject {
  return before === undefined ? request : { ...request, spec: before.spec };
}

/** Held by a finalizer until its content is gone. */
function prepareNamespace(namespace: AnyObject, before: AnyObject | undefined): AnyObject {
  if (before !== undefined) return namespace;
  const name = namespace.metadata.name ?? "";
  const labels = { ...namespace.metadata.labels, "kubernetes.io/metadata.name": name };
  return {
    ...namespace,
    metadata: { ...namespace.metadata, labels },
    spec: { ...namespace.spec, finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  };
}

/** Its selector is made once; whatever an update says of it is judged as a change. */
function prepareJob(job: AnyObject, before: AnyObject | undefined): AnyObject {
  if (before !== undefined) return job;
  const { object, causes } = selectOwnPods(job);
  if (causes.length > 0) throw invalid(jobKind, job.metadata.name, causes);
  return object;
}
