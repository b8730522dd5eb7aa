import type { Case } from "./case.ts";

const create = "kubectl/pkg/cmd/create";
const printed = "printers/name.go";

/** `create`, `run`, `expose`, `autoscale`: what makes objects. */
export const createCases: readonly Case[] = [
  { run: "create namespace suite", out: "namespace/suite created", source: printed },
  {
    run: "create namespace suite",
    err: 'Error from server (AlreadyExists): namespaces "suite" already exists',
    code: 1,
    source: "apimachinery/pkg/api/errors NewAlreadyExists",
  },
  {
    run: "config set-context --current --namespace=suite",
    out: 'Context "berth" modified.',
    source: "kubectl/pkg/cmd/config/set_context.go",
  },
  {
    run: "create namespace Suite_2",
    err: "The Namespace \"Suite_2\" is invalid: metadata.name: Invalid value: \"Suite_2\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    code: 1,
    source: "apimachinery/pkg/util/validation IsDNS1123Label",
  },
  {
    run: "create configmap settings --from-literal=colour=blue --from-literal=size=3",
    out: "configmap/settings created",
    source: create,
  },
  {
    run: "create secret generic keys --from-literal=password=open-sesame",
    out: "secret/keys created",
    source: create,
  },
  {
    run: "create secret docker-registry pull --docker-server=registry.local --docker-username=u --docker-password=p",
    out: "secret/pull created",
    source: create,
  },
  {
    run: "create deployment web --image=berth/hello:v1 --replicas=2 --port=8080",
    out: "deployment.apps/web created",
    source: create,
  },
  {
    run: "create deployment web --image=berth/hello:v1",
    err: 'error: failed to create deployment: deployments.apps "web" already exists',
    code: 1,
    source: `${create}/create_deployment.go`,
  },
  {
    run: "create deployment dry --image=berth/hello:v1 --dry-run=server",
    out: "deployment.apps/dry created (server dry run)",
    source: create,
  },
  {
    run: "create deployment dry --image=berth/hello:v1 --dry-run=client -o name",
    out: "deployment.apps/dry",
    source: create,
  },
  {
    run: "create job once --image=berth/hello:v1 -- sh -c 'echo done'",
    out: "job.batch/once created",
    source: create,
  },
  {
    run: "create cronjob nightly --image=berth/hello:v1 --schedule='0 3 * * *' -- true",
    out: "cronjob.batch/nightly created",
    source: create,
  },
  {
    run: "create cronjob wrong --image=berth/hello:v1 --schedule='every night' -- true",
    err: '<text>spec.schedule: Invalid value: "every night"<text>',
    code: 1,
    source: "kubernetes/pkg/apis/batch/validation",
  },
  {
    run: "create job nightly-now --from=cronjob/nightly",
    out: "job.batch/nightly-now created",
    source: create,
  },
  {
    run: "create service clusterip plain --tcp=80:8080",
    out: "service/plain created",
    source: create,
  },
  {
    run: "create service nodeport ported --tcp=80:8080 --node-port=31777",
    out: "service/ported created",
    source: create,
  },
  {
    run: "create service nodeport ported-too --tcp=80:8080 --node-port=31777",
    err: 'error: failed to create NodePort service: Service "ported-too" is invalid: spec.ports[0].nodePort: Invalid value: 31777: provided port is already allocated',
    code: 1,
    source: "kubernetes/pkg/registry/core/service/portallocator",
  },
  {
    run: "create service externalname away --external-name=example.com",
    out: "service/away created",
    source: create,
  },
  {
    run: "create service loadbalancer front --tcp=80:8080",
    out: "service/front created",
    source: create,
  },
  { run: "create serviceaccount robot", out: "serviceaccount/robot created", source: create },
  {
    run: "create role reader --verb=get,list --resource=pods",
    out: "role.rbac.authorization.k8s.io/reader created",
    source: create,
  },
  {
    run: "create rolebinding reads --role=reader --serviceaccount=suite:robot",
    out: "rolebinding.rbac.authorization.k8s.io/reads created",
    source: create,
  },
  {
    run: "create clusterrole suite-reader --verb=get --resource=nodes",
    out: "clusterrole.rbac.authorization.k8s.io/suite-reader created",
    source: create,
  },
  {
    run: "create clusterrolebinding suite-reads --clusterrole=suite-reader --user=ann",
    out: "clusterrolebinding.rbac.authorization.k8s.io/suite-reads created",
    source: create,
  },
  {
    run: "create poddisruptionbudget guard --selector=app=web --min-available=1",
    out: "poddisruptionbudget.policy/guard created",
    source: create,
  },
  {
    run: "create priorityclass suite-high --value=1000 --description=first",
    out: "priorityclass.scheduling.k8s.io/suite-high created",
    source: create,
  },
  {
    run: "create quota bounds --hard=pods=50,services=20",
    out: "resourcequota/bounds created",
    source: create,
  },
  {
    run: "create ingress entry --rule=web.local/*=web:80",
    out: "ingress.networking.k8s.io/entry created",
    source: create,
  },
  { run: "create token robot", out: "<word>.<word>.<word>", source: `${create}/create_token.go` },
  {
    run: "create token robot --duration=5m",
    err: "<text>spec.expirationSeconds: Invalid value: 300: may not specify a duration less than 10 minutes",
    code: 1,
    source: "kubernetes/pkg/apis/authentication/validation",
  },
  {
    run: "run single --image=berth/hello:v1 --port=8080 --labels=app=single",
    out: "pod/single created",
    source: "kubectl/pkg/cmd/run",
  },
  {
    run: "run odd --image=berth/hello:v1 --restart=Sometimes",
    err: "error: invalid restart policy: Sometimes\nSee 'kubectl run -h' for help and examples",
    code: 1,
    source: "kubectl/pkg/cmd/run getRestartPolicy",
  },
  {
    run: "run box --image=berth/hello:v1 --restart=Never --command -- sh -c 'echo from box; sleep 3600'",
    out: "pod/box created",
    source: "kubectl/pkg/cmd/run",
  },
  {
    run: "expose deployment web --port=80 --target-port=8080",
    out: "service/web exposed",
    source: "kubectl/pkg/cmd/expose",
  },
  {
    run: "expose deployment nothing --port=80",
    err: 'Error from server (NotFound): deployments.apps "nothing" not found',
    code: 1,
    source: "apimachinery NewNotFound",
  },
  {
    run: "autoscale deployment web --min=1 --max=3 --cpu=80%",
    out: "horizontalpodautoscaler.autoscaling/web autoscaled",
    source: "kubectl/pkg/cmd/autoscale",
  },
  {
    run: "create -f -",
    input: "apiVersion: v1\nkind: ConfigMap\nmetadata: { generateName: made- }\n",
    out: "configmap/made-<word> created",
    source: create,
  },
  {
    run: "create -f -",
    input: "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: strict }\nspec: { a: 1 }\n",
    err: 'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "spec"',
    code: 1,
    source: "apiserver/pkg/endpoints/handlers/create.go",
  },
  {
    run: "create -f -",
    input: "apiVersion: example.dev/v1\nkind: Widget\nmetadata: { name: a }\n",
    err: 'error: resource mapping not found for name: "a" namespace: "" from "STDIN": no matches for kind "Widget" in version "example.dev/v1"\nensure CRDs are installed first',
    code: 1,
    source: "cli-runtime/pkg/resource/builder.go",
  },
];
