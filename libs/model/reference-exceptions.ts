/**
 * Where kinds differ from Kubernetes' declarations on purpose, each with its reason. For the test that
 * compares them, which also says when nothing is behind an exception any more.
 */

type Exception = { readonly because: string; readonly fields: readonly string[] };

/** Each field with what differs, as the test words it. */
export const exceptions: readonly Exception[] = [
  {
    because:
      "declared optional, but Kubernetes' validation refuses its absence as a required value",
    fields: [
      "apps.v1.ReplicaSetSpec.template: is required",
      "batch.v1.JobTemplateSpec.spec: is required",
      "core.v1.Container.image: is required",
      "core.v1.EphemeralContainer.image: is required",
      "core.v1.ExecAction.command: is required",
      "core.v1.PersistentVolumeClaimSpec.accessModes: is required",
      "core.v1.PersistentVolumeClaimSpec.resources: is required",
      "core.v1.PersistentVolumeSpec.accessModes: is required",
      "core.v1.PersistentVolumeSpec.capacity: is required",
      "core.v1.PodTemplate.template: is required",
      "core.v1.PodTemplateSpec.spec: is required",
      "core.v1.ReplicationControllerSpec.template: is required",
      "core.v1.SecretVolumeSource.secretName: is required",
      "core.v1.VolumeResourceRequirements.requests: is required",
      "meta.v1.ObjectMeta.name: is required",
    ],
  },
  {
    because: "declared required, but Kubernetes stores objects without it",
    fields: [
      "events.v1.Event.eventTime: is not required",
      "meta.v1.Condition.lastTransitionTime: is not required",
      "meta.v1.Condition.message: is not required",
      "meta.v1.Condition.reason: is not required",
    ],
  },
  {
    because:
      "its absence is refused by a rule of the schema, in the words of Kubernetes' validation",
    fields: [
      "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.policyName: is not required",
      "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.validationActions: is not required",
    ],
  },
  {
    because: "where an object lies when neither it nor the request's path names a namespace",
    fields: ["meta.v1.ObjectMeta.namespace: default is default, not undefined"],
  },
  {
    because: "Kubernetes' next release has it, and our autoscaler fills it in",
    fields: [
      "autoscaling.v2.HorizontalPodAutoscalerCondition.observedGeneration: unknown to Kubernetes",
    ],
  },
];

/** Kinds that are not served as stored objects. */
export const unserved: Readonly<Record<string, string>> = {
  "v1/Binding": "a subresource of pods",
  "v1/ComponentStatus": "deprecated: health of components that there are not",
  "autoscaling/v1/Scale": "a subresource",
  "policy/v1/Eviction": "a subresource of pods",
};

const webhook = { failurePolicy: "Fail", matchPolicy: "Equivalent", timeoutSeconds: 10 };
const termination = {
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
};
const files = { defaultMode: 0o644 };

const byMessage: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "admissionregistration.v1.MatchResources": { matchPolicy: "Equivalent" },
  "admissionregistration.v1.MutatingAdmissionPolicySpec": { failurePolicy: "Fail" },
  "admissionregistration.v1.MutatingWebhook": { ...webhook, reinvocationPolicy: "Never" },
  "admissionregistration.v1.NamedRuleWithOperations": { scope: "*" },
  "admissionregistration.v1.RuleWithOperations": { scope: "*" },
  "admissionregistration.v1.ServiceReference": { port: 443 },
  "admissionregistration.v1.ValidatingAdmissionPolicySpec": { failurePolicy: "Fail" },
  "admissionregistration.v1.ValidatingWebhook": webhook,
  "apiextensions.v1.ServiceReference": { port: 443 },
  "apps.v1.DaemonSetSpec": { revisionHistoryLimit: 10 },
  "apps.v1.DaemonSetUpdateStrategy": { type: "RollingUpdate" },
  "apps.v1.DeploymentSpec": {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  },
  "apps.v1.DeploymentStrategy": { type: "RollingUpdate" },
  "apps.v1.ReplicaSetSpec": { replicas: 1 },
  "apps.v1.RollingUpdateDaemonSet": { maxUnavailable: 1 },
  "apps.v1.RollingUpdateDeployment": { maxSurge: "25%", maxUnavailable: "25%" },
  "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {
    whenDeleted: "Retain",
    whenScaled: "Retain",
  },
  "apps.v1.StatefulSetSpec": {
    podManagementPolicy: "OrderedReady",
    replicas: 1,
    revisionHistoryLimit: 10,
  },
  "apps.v1.StatefulSetUpdateStrategy": { type: "RollingUpdate" },
  "autoscaling.v2.HorizontalPodAutoscalerSpec": { minReplicas: 1 },
  "batch.v1.CronJobSpec": {
    concurrencyPolicy: "Allow",
    failedJobsHistoryLimit: 1,
    successfulJobsHistoryLimit: 3,
  },
  "batch.v1.PodFailurePolicyOnPodConditionsPattern": { status: "True" },
  "core.v1.ClientIPConfig": { timeoutSeconds: 10_800 },
  "core.v1.ConfigMapVolumeSource": files,
  "core.v1.Container": termination,
  "core.v1.DownwardAPIVolumeSource": files,
  "core.v1.EndpointPort": { protocol: "TCP" },
  "core.v1.EphemeralContainer": termination,
  "core.v1.HTTPGetAction": { path: "/", scheme: "HTTP" },
  "core.v1.NamespaceStatus": { phase: "Active" },
  "core.v1.ObjectFieldSelector": { apiVersion: "v1" },
  "core.v1.PersistentVolumeClaimSpec": { volumeMode: "Filesystem" },
  "core.v1.PersistentVolumeSpec": {
    persistentVolumeReclaimPolicy: "Retain",
    volumeMode: "Filesystem",
  },
  "core.v1.PodSpec": {
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    terminationGracePeriodSeconds: 30,
  },
  "core.v1.PodStatus": { phase: "Pending" },
  "core.v1.Probe": {
    failureThreshold: 3,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 1,
  },
  "core.v1.ProjectedVolumeSource": files,
  "core.v1.ResourceFieldSelector": { divisor: "0" },
  "core.v1.Secret": { type: "Opaque" },
  "core.v1.SecretVolumeSource": files,
  "core.v1.ServiceAccountTokenProjection": { expirationSeconds: 3_600 },
  "core.v1.ServiceSpec": { sessionAffinity: "None", type: "ClusterIP" },
  "discovery.v1.EndpointPort": { protocol: "TCP" },
  "networking.v1.IngressClassParametersReference": { scope: "Cluster" },
  "networking.v1.NetworkPolicyPort": { protocol: "TCP" },
  "rbac.v1.RoleRef": { apiGroup: "rbac.authorization.k8s.io" },
  "scheduling.v1.PriorityClass": { preemptionPolicy: "PreemptLowerPriority" },
  "storage.v1.CSIDriverSpec": {
    attachRequired: true,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
  },
  "storage.v1.StorageClass": { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" },
};

/** Defaults that Kubernetes' functions fill in; its declarations do not tell them. */
export const defaults: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.entries(byMessage).flatMap(([message, fields]) =>
    Object.entries(fields).map(([name, value]) => [`${message}.${name}`, value]),
  ),
);
