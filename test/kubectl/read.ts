import type { Case } from "./case.ts";

const printers = "kubernetes/pkg/printers/internalversion/printers.go";

/** `get` and `wait`. */
export const readCases: readonly Case[] = [
  {
    run: "rollout status deployment/web --timeout=120s",
    out: '<…>\ndeployment "web" successfully rolled out',
    source: "kubectl/pkg/polymorphichelpers/rollout_status.go",
  },
  {
    run: "wait --for=condition=Ready pod/single pod/box --timeout=120s",
    out: "pod/single condition met\npod/box condition met",
    source: "kubectl/pkg/cmd/wait",
  },
  {
    run: "wait --for=condition=complete job/once --timeout=120s",
    out: "job.batch/once condition met",
    source: "kubectl/pkg/cmd/wait",
  },
  {
    run: "wait --for=jsonpath={.status.phase}=Running pod/box --timeout=60s",
    out: "pod/box condition met",
    source: "kubectl/pkg/cmd/wait",
  },
  {
    run: "wait --for=condition=Never pod/box --timeout=1s",
    err: "error: timed out waiting for the condition on pods/box",
    code: 1,
    source: "kubectl/pkg/cmd/wait",
  },
  {
    run: "get pods",
    out: `
NAME  READY  STATUS  RESTARTS  AGE
box  1/1  Running  0  <age>
nightly-now-<word>  0/1  Completed  0  <age>
once-<word>  0/1  Completed  0  <age>
single  1/1  Running  0  <age>
web-<word>  1/1  Running  0  <age>
web-<word>  1/1  Running  0  <age>`,
    until: true,
    source: printers,
  },
  {
    run: "get pod box -o wide",
    out: `
NAME  READY  STATUS  RESTARTS  AGE  IP  NODE  NOMINATED NODE  READINESS GATES
box  1/1  Running  0  <age>  <word>  <word>  <none>  <none>`,
    source: printers,
  },
  {
    run: "get pods -l app=single --no-headers",
    out: "single  1/1  Running  0  <age>",
    source: printers,
  },
  {
    run: "get pods -l 'app in (single,web),app!=web' -o name",
    out: "pod/single",
    source: "kubectl/pkg/cmd/get",
  },
  {
    run: "get pods --show-labels -l app=single",
    out: `
NAME  READY  STATUS  RESTARTS  AGE  LABELS
single  1/1  Running  0  <age>  app=single`,
    source: printers,
  },
  {
    run: "get pods -L app -l app=single",
    out: `
NAME  READY  STATUS  RESTARTS  AGE  APP
single  1/1  Running  0  <age>  single`,
    source: printers,
  },
  {
    run: "get pods --field-selector=status.phase=Succeeded -o name --sort-by=.metadata.name",
    out: "pod/nightly-now-<word>\npod/once-<word>",
    source: "kubectl/pkg/cmd/get",
  },
  {
    run: "get pods --field-selector=spec.colour=blue",
    err: 'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.colour=blue": field label not supported: spec.colour',
    code: 1,
    source: "kubernetes/pkg/apis/core/v1/conversion.go",
  },
  {
    run: "get pods -l 'app ~ x'",
    err: 'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "app ~ x", field selector "": unable to parse requirement: found \'~\', expected: in, notin, =, ==, !=, gt, lt',
    code: 1,
    source: "apimachinery/pkg/labels/selector.go",
  },
  {
    run: "get pod nothing",
    err: 'Error from server (NotFound): pods "nothing" not found',
    code: 1,
    source: "apimachinery NewNotFound",
  },
  { run: "get pod nothing --ignore-not-found", source: "kubectl/pkg/cmd/get" },
  {
    run: "get gadgets",
    err: 'error: the server doesn\'t have a resource type "gadgets"',
    code: 1,
    source: "cli-runtime/pkg/resource/builder.go",
  },
  {
    run: "get statefulsets",
    err: "No resources found in suite namespace.",
    source: "kubectl/pkg/cmd/get",
  },
  {
    run: "get deployment web",
    out: `
NAME  READY  UP-TO-DATE  AVAILABLE  AGE
web  2/2  2  2  <age>`,
    source: printers,
  },
  {
    run: "get deploy web -o wide",
    out: `
NAME  READY  UP-TO-DATE  AVAILABLE  AGE  CONTAINERS  IMAGES  SELECTOR
web  2/2  2  2  <age>  hello  berth/hello:v1  app=web`,
    source: printers,
  },
  {
    run: "get rs -l app=web",
    out: `
NAME  DESIRED  CURRENT  READY  AGE
web-<word>  2  2  2  <age>`,
    source: printers,
  },
  {
    run: "get svc plain ported away",
    out: `
NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE
plain  ClusterIP  <word>  <none>  80/TCP  <age>
ported  NodePort  <word>  <none>  80:31777/TCP  <age>
away  ExternalName  <none>  example.com  <none>  <age>`,
    source: printers,
  },
  {
    run: "get endpoints web",
    out: `
NAME  ENDPOINTS  AGE
web  <word>:8080,<word>:8080  <age>`,
    err: "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    source: printers,
  },
  {
    run: "get endpointslices -l kubernetes.io/service-name=web",
    out: `
NAME  ADDRESSTYPE  PORTS  ENDPOINTS  AGE
web-<word>  IPv4  8080  <word>,<word>  <age>`,
    source: printers,
  },
  {
    run: "get configmap settings",
    out: `
NAME  DATA  AGE
settings  2  <age>`,
    source: printers,
  },
  {
    run: "get secrets keys pull",
    out: `
NAME  TYPE  DATA  AGE
keys  Opaque  1  <age>
pull  kubernetes.io/dockerconfigjson  1  <age>`,
    source: printers,
  },
  {
    run: "get secret keys -o 'jsonpath={.data.password}'",
    out: "b3Blbi1zZXNhbWU=",
    source: "cli-runtime/pkg/printers/jsonpath.go",
  },
  {
    run: "get cm settings -o 'go-template={{range $k, $v := .data}}{{$k}}={{$v}};{{end}}'",
    out: "colour=blue;size=3;",
    source: "cli-runtime/pkg/printers/template.go",
  },
  {
    run: "get cm settings -o custom-columns=NAME:.metadata.name,COLOUR:.data.colour",
    out: `
NAME  COLOUR
settings  blue`,
    source: "kubectl/pkg/cmd/get/customcolumn.go",
  },
  {
    run: "get cm settings -o yaml",
    out: `
apiVersion: v1
data:
  colour: blue
  size: "3"
kind: ConfigMap
metadata:
  creationTimestamp: "<word>"
  name: settings
  namespace: suite
  resourceVersion: "<word>"
  uid: <word>`,
    source: "cli-runtime/pkg/printers/yaml.go",
  },
  {
    run: "get cm settings -o json --show-managed-fields -o 'jsonpath={.metadata.managedFields[*].manager}'",
    out: "kubectl-create",
    source: "apimachinery/pkg/util/managedfields",
  },
  {
    run: "get jobs once",
    out: `
NAME  STATUS  COMPLETIONS  DURATION  AGE
once  Complete  1/1  <age>  <age>`,
    source: printers,
  },
  {
    run: "get cronjobs",
    out: `
NAME  SCHEDULE  TIMEZONE  SUSPEND  ACTIVE  LAST SCHEDULE  AGE
nightly  0 3 * * *  <none>  False  0  <none>  <age>`,
    source: printers,
  },
  {
    run: "get hpa web",
    out: `
NAME  REFERENCE  TARGETS  MINPODS  MAXPODS  REPLICAS  AGE
web  Deployment/web  cpu: <word>/80%  1  3  <word>  <age>`,
    until: true,
    source: printers,
  },
  {
    run: "get pdb guard",
    out: `
NAME  MIN AVAILABLE  MAX UNAVAILABLE  ALLOWED DISRUPTIONS  AGE
guard  1  N/A  1  <age>`,
    until: true,
    source: printers,
  },
  {
    run: "get resourcequota bounds",
    out: `
NAME  REQUEST  LIMIT  AGE
bounds  pods: <word>/50, services: <word>/20    <age>`,
    until: true,
    source: printers,
  },
  {
    run: "get ingress entry",
    out: `
NAME  CLASS  HOSTS  ADDRESS  PORTS  AGE
entry  <none>  web.local    80  <age>`,
    source: printers,
  },
  {
    run: "get serviceaccounts",
    out: `
NAME  SECRETS  AGE
default  0  <age>
robot  0  <age>`,
    source: printers,
  },
  {
    run: "get roles,rolebindings",
    out: `
NAME  CREATED AT
role.rbac.authorization.k8s.io/reader  <word>

NAME  ROLE  AGE
rolebinding.rbac.authorization.k8s.io/reads  Role/reader  <age>`,
    source: printers,
  },
  {
    run: "get priorityclass suite-high system-node-critical",
    out: `
NAME  VALUE  GLOBAL-DEFAULT  AGE  PREEMPTIONPOLICY
suite-high  1000  false  <age>  PreemptLowerPriority
system-node-critical  2000001000  false  <age>  PreemptLowerPriority`,
    source: printers,
  },
  {
    run: "get nodes",
    out: `
NAME  STATUS  ROLES  AGE  VERSION
<word>  Ready  <none>  <age>  <word>`,
    source: printers,
  },
  {
    run: "get servicecidr kubernetes",
    out: `
NAME  CIDRS  AGE
kubernetes  <word>  <age>`,
    source: printers,
  },
  {
    run: "get ns suite",
    out: `
NAME  STATUS  AGE
suite  Active  <age>`,
    source: printers,
  },
  {
    run: "get all -l app=single",
    out: `
NAME  READY  STATUS  RESTARTS  AGE
pod/single  1/1  Running  0  <age>`,
    source: "kubectl/pkg/cmd/get",
  },
  {
    run: "get deployment/web service/web -o name",
    out: "deployment.apps/web\nservice/web",
    source: "kubectl/pkg/cmd/get",
  },
  {
    run: "get pods --chunk-size=2 -o name",
    out: `
pod/box
pod/nightly-now-<word>
pod/once-<word>
pod/single
pod/web-<word>
pod/web-<word>`,
    source: "kubectl/pkg/cmd/get",
  },
  {
    run: "get --raw /api/v1/namespaces/suite/configmaps/settings -o name",
    err: "error: --raw and --output are mutually exclusive",
    code: 1,
    source: "kubectl/pkg/cmd/get",
  },
  { run: "get --raw /readyz", out: "ok", source: "apiserver/pkg/server/healthz" },
];
