import type { Case } from "./case.ts";

const printers = "kubernetes/pkg/printers/internalversion/printers.go";
const describe = "kubectl/pkg/describe/describe.go";

/** `describe`, `explain`, `events`, `top` and what tells of the server. */
export const tellCases: readonly Case[] = [
  {
    run: "describe deployment web",
    out: `
Name:  web
Namespace:  suite
CreationTimestamp:  <text>
Labels:  app=web
Annotations:  deployment.kubernetes.io/revision: 1
Selector:  app=web
Replicas:  2 desired | 2 updated | 2 total | 2 available | 0 unavailable
StrategyType:  RollingUpdate
MinReadySeconds:  0
RollingUpdateStrategy:  25% max unavailable, 25% max surge
Pod Template:
  Labels:  app=web
  Containers:
   hello:
    Image:  berth/hello:v1
    Port:  8080/TCP
    Host Port:  0/TCP
    Environment:  <none>
    Mounts:  <none>
  Volumes:  <none>
  Node-Selectors:  <none>
  Tolerations:  <none>
Conditions:
  Type  Status  Reason
  ----  ------  ------
  Available  True  MinimumReplicasAvailable
  Progressing  True  NewReplicaSetAvailable
OldReplicaSets:  <none>
NewReplicaSet:  web-<word> (2/2 replicas created)
Events:
<…>
  Normal  ScalingReplicaSet  <age>  <text>  Scaled up replica set web-<word> from 0 to 2`,
    source: describe,
  },
  {
    run: "describe pod single",
    out: `
Name:  single
Namespace:  suite
Priority:  0
<…>
Status:  Running
IP:  <word>
<…>
Containers:
  single:
    Container ID:  <word>
    Image:  berth/hello:v1
    Image ID:  <text>
    Port:  8080/TCP
    Host Port:  0/TCP
    State:  Running
      Started:  <text>
    Ready:  True
    Restart Count:  0
<…>
QoS Class:  BestEffort
<…>
Events:
<…>`,
    source: describe,
  },
  {
    run: "describe service ported",
    out: `
Name:  ported
Namespace:  suite
Labels:  app=ported
Annotations:  <none>
Selector:  app=ported
Type:  NodePort
IP Family Policy:  SingleStack
IP Families:  IPv4
IP:  <word>
IPs:  <word>
Port:  80-8080  80/TCP
TargetPort:  8080/TCP
NodePort:  80-8080  31777/TCP
Endpoints:  
Session Affinity:  None
External Traffic Policy:  Cluster
Internal Traffic Policy:  Cluster
Events:  <none>`,
    source: describe,
  },
  {
    run: "describe secret keys",
    out: `
Name:  keys
Namespace:  suite
Labels:  <none>
Annotations:  <none>

Type:  Opaque

Data
====
password:  11 bytes`,
    source: describe,
  },
  { run: "describe node", out: "Name:  <word>\n<…>", source: describe },
  {
    run: "explain deployment.spec.strategy",
    out: `
GROUP:  apps
KIND:  Deployment
VERSION:  v1

FIELD: strategy <DeploymentStrategy>
<…>
  rollingUpdate	<RollingUpdateDeployment>
<…>`,
    source: "kubectl/pkg/explain/v2",
  },
  {
    run: "explain pod.spec.colour",
    out: "KIND:  Pod\nVERSION:  v1",
    err: 'error: field "colour" does not exist',
    code: 1,
    source: "kubectl/pkg/explain/v2",
  },
  {
    run: "explain pod.spec.containers --recursive",
    out: "KIND:  Pod\nVERSION:  v1\n\nFIELD: containers <[]Container>\n<…>",
    source: "kubectl/pkg/explain/v2",
  },
  {
    run: "events --for deployment/web",
    out: `
LAST SEEN  TYPE  REASON  OBJECT  MESSAGE
<…>
<age>  Normal  ScalingReplicaSet  Deployment/web  <text>`,
    source: "kubectl/pkg/cmd/events",
  },
  {
    run: "get events --field-selector=involvedObject.kind=Deployment",
    out: `
LAST SEEN  TYPE  REASON  OBJECT  MESSAGE
<…>
<age>  Normal  ScalingReplicaSet  deployment/web  Scaled up replica set web-<word> from 0 to 2`,
    source: printers,
  },
  {
    run: "top node",
    out: `
NAME  CPU(cores)  CPU(%)  MEMORY(bytes)  MEMORY(%)
<word>  <word>m  <word>%  <word>Mi  <word>%`,
    until: true,
    source: "kubectl/pkg/metricsutil",
  },
  {
    run: "top pod single",
    out: `
NAME  CPU(cores)  MEMORY(bytes)
single  <word>m  <word>Mi`,
    until: true,
    source: "kubectl/pkg/metricsutil",
  },
  {
    run: "version -o json",
    out: '<…>\n  "serverVersion": {\n<…>\n    "gitVersion": "v1.36<text>\n<…>',
    source: "kubectl/pkg/cmd/version",
  },
  {
    run: "cluster-info",
    out: `
Kubernetes control plane is running at https://<word>

To further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.`,
    source: "kubectl/pkg/cmd/clusterinfo",
  },
  {
    run: "cluster-info dump --namespaces=suite --output-directory=dump",
    out: "Cluster info dumped to dump",
    source: "kubectl/pkg/cmd/clusterinfo",
  },
  {
    run: "api-resources --api-group=apps",
    out: `
NAME  SHORTNAMES  APIVERSION  NAMESPACED  KIND
controllerrevisions    apps/v1  true  ControllerRevision
daemonsets  ds  apps/v1  true  DaemonSet
deployments  deploy  apps/v1  true  Deployment
replicasets  rs  apps/v1  true  ReplicaSet
statefulsets  sts  apps/v1  true  StatefulSet`,
    source: "kubectl/pkg/cmd/apiresources",
  },
  {
    run: "api-resources --api-group=batch --verbs=list,watch -o name",
    out: "cronjobs.batch\njobs.batch",
    source: "kubectl/pkg/cmd/apiresources",
  },
  {
    run: "api-versions",
    out: `
admissionregistration.k8s.io/v1
<…>
apiextensions.k8s.io/v1
<…>
apps/v1
authentication.k8s.io/v1
authorization.k8s.io/v1
autoscaling/v1
autoscaling/v2
batch/v1
<…>
coordination.k8s.io/v1
discovery.k8s.io/v1
events.k8s.io/v1
metrics.k8s.io/v1beta1
networking.k8s.io/v1
node.k8s.io/v1
policy/v1
rbac.authorization.k8s.io/v1
scheduling.k8s.io/v1
storage.k8s.io/v1
v1`,
    source: "kubectl/pkg/cmd/apiresources",
  },
];
