import type { Case } from "./case.ts";

const set = "kubectl/pkg/cmd/set";
const rollout = "kubectl/pkg/cmd/rollout";

const settings = (colour: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: applied }\ndata: { colour: ${colour} }\n`;

/** What changes objects: apply, patch, set, label, scale, rollout, replace, edit, diff, delete. */
export const changeCases: readonly Case[] = [
  {
    run: "apply -f -",
    input: settings("red"),
    out: "configmap/applied created",
    source: "kubectl/pkg/cmd/apply",
  },
  {
    run: "apply -f -",
    input: settings("red"),
    out: "configmap/applied unchanged",
    source: "kubectl/pkg/cmd/apply",
  },
  {
    run: "diff -f -",
    input: settings("green"),
    out: `
diff -u -N <text>
--- <text>
+++ <text>
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  colour: red
+  colour: green
 kind: ConfigMap
<…>`,
    code: 1,
    source: "kubectl/pkg/cmd/diff",
  },
  { run: "diff -f -", input: settings("red"), source: "kubectl/pkg/cmd/diff" },
  {
    run: "apply -f -",
    input: settings("green"),
    out: "configmap/applied configured",
    source: "kubectl/pkg/cmd/apply",
  },
  {
    run: "apply view-last-applied configmap/applied -o json",
    out: `
{
  "apiVersion": "v1",
  "data": {
    "colour": "green"
  },
  "kind": "ConfigMap",
  "metadata": {
    "annotations": {},
    "name": "applied",
    "namespace": "suite"
  }
}`,
    source: "kubectl/pkg/cmd/apply/apply_view_last_applied.go",
  },
  {
    run: "apply set-last-applied -f -",
    input: settings("green"),
    out: "configmap/applied configured",
    source: "kubectl/pkg/cmd/apply/apply_set_last_applied.go",
  },
  {
    run: "apply --server-side --field-manager=other -f -",
    input: settings("black"),
    err: `
error: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.colour
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
<…>`,
    code: 1,
    source: "kubectl/pkg/cmd/apply/apply.go; apimachinery/pkg/util/managedfields",
  },
  {
    run: "apply --server-side --field-manager=other --force-conflicts -f -",
    input: settings("black"),
    out: "configmap/applied serverside-applied",
    source: "kubectl/pkg/cmd/apply",
  },
  {
    run: "apply --dry-run=server -f -",
    input: settings("pink"),
    out: "configmap/applied configured (server dry run)",
    err: "Warning: resource configmaps/applied is missing the kubectl.kubernetes.io/last-applied-configuration annotation <text>",
    source: "kubectl/pkg/cmd/apply",
  },
  {
    run: "get cm applied -o 'jsonpath={.data.colour}'",
    out: "black",
    source: "cli-runtime/pkg/printers/jsonpath.go",
  },
  {
    run: "apply --prune -l suite=pruned -f -",
    input: "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: kept, labels: { suite: pruned } }\n",
    out: "configmap/kept created",
    err: "W<text>] Deprecated: kubectl apply will no longer prune non-namespaced resources by default <text>\nWarning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    source: "kubectl/pkg/cmd/apply/prune.go",
  },
  {
    run: 'patch cm applied -p \'{"data":{"size":"1"}}\'',
    out: "configmap/applied patched",
    source: "kubectl/pkg/cmd/patch",
  },
  {
    run: 'patch cm applied -p \'{"data":{"size":"1"}}\'',
    out: "configmap/applied patched (no change)",
    source: "kubectl/pkg/cmd/patch",
  },
  {
    run: 'patch cm applied --type=merge -p \'{"data":{"size":null}}\'',
    out: "configmap/applied patched",
    source: "kubectl/pkg/cmd/patch",
  },
  {
    run: 'patch cm applied --type=json -p \'[{"op":"replace","path":"/data/colour","value":"white"}]\'',
    out: "configmap/applied patched",
    source: "kubectl/pkg/cmd/patch",
  },
  {
    run: 'patch cm applied --type=json -p \'[{"op":"test","path":"/data/colour","value":"grey"}]\'',
    err: "The request is invalid: the server rejected our request due to an error in our request",
    code: 1,
    source: "apiserver/pkg/endpoints/handlers/patch.go",
  },
  {
    run: 'patch deployment web --subresource=scale --type=merge -p \'{"spec":{"replicas":3}}\'',
    out: "scale.autoscaling/web patched",
    source: "kubectl/pkg/cmd/patch",
  },
  {
    run: 'patch deployment web --type=merge -p \'{"spec":{"selector":{"matchLabels":{"app":"x"}}}}\'',
    err: '<text>The Deployment "web" is invalid: <text>',
    code: 1,
    source: "kubernetes/pkg/apis/apps/validation",
  },
  {
    run: "delete hpa web",
    out: 'horizontalpodautoscaler.autoscaling "web" deleted from suite namespace',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "scale deployment web --replicas=2",
    out: "deployment.apps/web scaled",
    source: "kubectl/pkg/cmd/scale",
  },
  {
    run: "scale deployment web --current-replicas=7 --replicas=2",
    err: "error: Expected replicas to be 7, was 2",
    code: 1,
    source: "kubectl/pkg/scale",
  },
  {
    run: "scale deployment nothing --replicas=2",
    err: 'Error from server (NotFound): deployments.apps "nothing" not found',
    code: 1,
    source: "kubectl/pkg/cmd/scale",
  },
  {
    run: "set image deployment/web hello=berth/hello:v2",
    out: "deployment.apps/web image updated",
    source: set,
  },
  {
    run: "set image deployment/web nothing=berth/hello:v2",
    err: 'error: unable to find container named "nothing"',
    code: 1,
    source: set,
  },
  {
    run: "rollout status deployment/web --timeout=120s",
    out: '<…>\ndeployment "web" successfully rolled out',
    source: rollout,
  },
  {
    run: "rollout history deployment/web",
    out: `
deployment.apps/web 
REVISION  CHANGE-CAUSE
1  <none>
2  <none>`,
    source: "kubectl/pkg/polymorphichelpers/history.go",
  },
  {
    run: "rollout history deployment/web --revision=1",
    out: `
deployment.apps/web with revision #1
Pod Template:
  Labels:	app=web
	pod-template-hash=<word>
  Containers:
   hello:
    Image:	berth/hello:v1
<…>`,
    source: "kubectl/pkg/polymorphichelpers/history.go",
  },
  { run: "rollout undo deployment/web", out: "deployment.apps/web rolled back", source: rollout },
  {
    run: "rollout undo deployment/web --to-revision=77",
    err: "error: unable to find specified revision 77 in history",
    code: 1,
    source: "kubectl/pkg/polymorphichelpers/rollback.go",
  },
  { run: "rollout pause deployment/web", out: "deployment.apps/web paused", source: rollout },
  {
    run: "rollout pause deployment/web",
    err: 'error: deployments.apps "web" is already paused',
    code: 1,
    source: rollout,
  },
  {
    run: "set env deployment/web COLOUR=blue",
    out: "deployment.apps/web env updated",
    source: set,
  },
  {
    run: "set env deployment/web --list",
    out: "# Deployment web, container hello\nCOLOUR=blue",
    source: set,
  },
  {
    run: "set resources deployment/web --limits=memory=128Mi",
    out: "deployment.apps/web resource requirements updated",
    source: set,
  },
  {
    run: "set serviceaccount deployment/web robot",
    out: "deployment.apps/web serviceaccount updated",
    source: set,
  },
  { run: "rollout resume deployment/web", out: "deployment.apps/web resumed", source: rollout },
  { run: "rollout restart deployment/web", out: "deployment.apps/web restarted", source: rollout },
  {
    run: "rollout status deployment/web --timeout=120s",
    out: '<…>\ndeployment "web" successfully rolled out',
    source: rollout,
  },
  { run: "set selector service plain app=web", out: "service/plain selector updated", source: set },
  {
    run: "set subject rolebinding reads --user=ann",
    out: "rolebinding.rbac.authorization.k8s.io/reads subjects updated",
    source: set,
  },
  {
    run: "label pod single tier=front",
    out: "pod/single labeled",
    source: "kubectl/pkg/cmd/label",
  },
  {
    run: "label pod single tier=back",
    err: "error: 'tier' already has a value (front), and --overwrite is false",
    code: 1,
    source: "kubectl/pkg/cmd/label",
  },
  {
    run: "label pod single tier=back --overwrite",
    out: "pod/single labeled",
    source: "kubectl/pkg/cmd/label",
  },
  { run: "label pod single tier-", out: "pod/single unlabeled", source: "kubectl/pkg/cmd/label" },
  { run: "label pod single --list", out: "app=single", source: "kubectl/pkg/cmd/label" },
  {
    run: "annotate pod single note=hello",
    out: "pod/single annotated",
    source: "kubectl/pkg/cmd/annotate",
  },
  {
    run: "annotate pod single note-",
    out: "pod/single annotated",
    source: "kubectl/pkg/cmd/annotate",
  },
  {
    run: "replace -f -",
    input: settings("grey"),
    out: "configmap/applied replaced",
    source: "kubectl/pkg/cmd/replace",
  },
  {
    run: "replace -f -",
    input: "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: nothing }\n",
    err: 'Error from server (NotFound): error when replacing "STDIN": configmaps "nothing" not found',
    code: 1,
    source: "kubectl/pkg/cmd/replace",
  },
  {
    run: "replace --force -f -",
    input: settings("gold"),
    out: 'configmap "applied" deleted from suite namespace\nconfigmap/applied replaced',
    source: "kubectl/pkg/cmd/replace",
  },
  {
    run: "edit configmap applied",
    env: { KUBE_EDITOR: "sed -i s/gold/silver/" },
    out: "configmap/applied edited",
    source: "kubectl/pkg/cmd/edit",
  },
  {
    run: "edit configmap applied",
    env: { KUBE_EDITOR: "true" },
    err: "Edit cancelled, no changes made.",
    source: "kubectl/pkg/cmd/util/editor",
  },
  {
    run: "kustomize kustomization",
    out: "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: kustomized",
    source: "kubectl/pkg/cmd/kustomize",
  },
  {
    run: "apply -k kustomization",
    out: "configmap/kustomized created",
    source: "kubectl/pkg/cmd/apply",
  },
  {
    run: "delete -k kustomization",
    out: 'configmap "kustomized" deleted from suite namespace',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "delete cm applied kept",
    out: 'configmap "applied" deleted from suite namespace\nconfigmap "kept" deleted from suite namespace',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "delete cm applied",
    err: 'Error from server (NotFound): configmaps "applied" not found',
    code: 1,
    source: "kubectl/pkg/cmd/delete",
  },
  { run: "delete cm applied --ignore-not-found", source: "kubectl/pkg/cmd/delete" },
  {
    run: "delete job once --cascade=foreground",
    out: 'job.batch "once" deleted from suite namespace',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "delete pods -l job-name=once",
    out: "No resources found",
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "delete services plain ported away front --wait=false",
    out: 'service "plain" deleted from suite namespace\nservice "ported" deleted from suite namespace\nservice "away" deleted from suite namespace\nservice "front" deleted from suite namespace',
    source: "kubectl/pkg/cmd/delete",
  },
];
