import type { Case } from "./case.ts";

/** What works with containers, nodes, users and custom kinds. */
export const workCases: readonly Case[] = [
  { run: "logs box", out: "from box", source: "kubectl/pkg/cmd/logs" },
  { run: "logs box --timestamps", out: "<word>T<word>Z from box", source: "kubectl/pkg/cmd/logs" },
  { run: "logs box --tail=0", source: "kubectl/pkg/cmd/logs" },
  {
    run: "logs -l run=box --prefix",
    out: "[pod/box/box] from box",
    source: "kubectl/pkg/cmd/logs",
  },
  {
    run: "logs box -c nothing",
    err: "error: container nothing is not valid for pod box out of: box",
    code: 1,
    source: "kubectl/pkg/polymorphichelpers/logsforobject.go",
  },
  {
    run: "logs box --previous",
    err: 'Error from server (BadRequest): previous terminated container "box" in pod "box" not found',
    code: 1,
    source: "kubernetes/pkg/registry/core/pod/strategy.go",
  },
  { run: "exec box -- echo hello", out: "hello", source: "kubectl/pkg/cmd/exec" },
  { run: "exec -i box -- cat", input: "through\n", out: "through", source: "kubectl/pkg/cmd/exec" },
  {
    run: "exec box -- sh -c 'exit 3'",
    err: "command terminated with exit code 3",
    code: 3,
    source: "kubectl/pkg/cmd/util CheckErr",
  },
  {
    run: "exec box -- sh -c 'kill -9 $$'",
    err: "command terminated with exit code 137",
    code: 137,
    source: "kubectl/pkg/cmd/util CheckErr",
  },
  {
    run: "exec deploy/web -- sh -c 'echo $COLOUR'",
    out: "blue",
    source: "kubectl/pkg/cmd/exec",
  },
  {
    run: "exec box -c nothing -- true",
    err: "error: container nothing is not valid for pod box out of: box",
    code: 1,
    source: "kubernetes/pkg/registry/core/pod/strategy.go",
  },
  { run: "cp note.txt box:/tmp/note.txt", source: "kubectl/pkg/cmd/cp" },
  { run: "exec box -- cat /tmp/note.txt", out: "a note", source: "kubectl/pkg/cmd/exec" },
  { run: "cp box:/tmp/note.txt copied.txt", out: "<…>", source: "kubectl/pkg/cmd/cp" },
  { run: "auth can-i create pods", out: "yes", source: "kubectl/pkg/cmd/auth" },
  {
    run: "auth can-i --list",
    out: "Resources  Non-Resource URLs  Resource Names  Verbs\n<…>",
    source: "kubectl/pkg/cmd/auth",
  },
  {
    run: "auth whoami",
    out: `
ATTRIBUTE  VALUE
Username  kubernetes-admin
Groups  [system:masters system:authenticated]`,
    source: "kubectl/pkg/cmd/auth/whoami.go",
  },
  {
    run: "auth whoami --as=ann --as-group=builders",
    out: `
ATTRIBUTE  VALUE
Username  ann
Groups  [builders system:authenticated]`,
    source: "kubectl/pkg/cmd/auth/whoami.go",
  },
  {
    run: "auth reconcile -f role.yaml",
    out: "role.rbac.authorization.k8s.io/reader reconciled",
    err: "\treconciliation required update\n\tmissing rules added:\n\t\t{Verbs:[watch] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}",
    source: "kubectl/pkg/cmd/auth/reconcile.go",
  },
  {
    run: "create -f request.yaml",
    out: "certificatesigningrequest.certificates.k8s.io/ann created",
    source: "kubectl/pkg/cmd/create",
  },
  {
    run: "get csr ann",
    out: `
NAME  AGE  SIGNERNAME  REQUESTOR  REQUESTEDDURATION  CONDITION
ann  <age>  kubernetes.io/kube-apiserver-client  kubernetes-admin  <none>  Pending`,
    source: "kubernetes/pkg/printers/internalversion/printers.go",
  },
  {
    run: "certificate approve ann",
    out: "certificatesigningrequest.certificates.k8s.io/ann approved",
    source: "kubectl/pkg/cmd/certificates",
  },
  {
    run: "get csr ann",
    out: `
NAME  AGE  SIGNERNAME  REQUESTOR  REQUESTEDDURATION  CONDITION
ann  <age>  kubernetes.io/kube-apiserver-client  kubernetes-admin  <none>  Approved,Issued`,
    until: true,
    source: "kubernetes/pkg/printers/internalversion/printers.go",
  },
  {
    run: "delete csr ann",
    out: 'certificatesigningrequest.certificates.k8s.io "ann" deleted',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "create -f widgets.yaml",
    out: "customresourcedefinition.apiextensions.k8s.io/widgets.example.dev created",
    source: "kubectl/pkg/cmd/create",
  },
  {
    run: "wait --for=condition=Established crd/widgets.example.dev --timeout=30s",
    out: "customresourcedefinition.apiextensions.k8s.io/widgets.example.dev condition met",
    source: "kubectl/pkg/cmd/wait",
  },
  {
    run: "apply -f -",
    input: "apiVersion: example.dev/v1\nkind: Widget\nmetadata: { name: a }\nspec: { size: 3 }\n",
    out: "widget.example.dev/a created",
    source: "kubectl/pkg/cmd/apply",
  },
  {
    run: "apply -f -",
    input:
      "apiVersion: example.dev/v1\nkind: Widget\nmetadata: { name: b }\nspec: { size: many }\n",
    err: 'The Widget "b" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    code: 1,
    source: "apiextensions-apiserver/pkg/apiserver/validation",
  },
  {
    run: "get wg",
    out: `
NAME  SIZE  AGE
a  3  <age>`,
    source: "apiextensions-apiserver/pkg/registry/customresource/tableconvertor",
  },
  {
    run: "explain widget.spec",
    out: "GROUP:  example.dev\nKIND:  Widget\nVERSION:  v1\n\nFIELD: spec <Object>\n<…>\n  size	<integer>\n<…>",
    until: true,
    source: "kubectl/pkg/explain/v2",
  },
  {
    run: "scale widget a --replicas=2",
    out: "widget.example.dev/a scaled",
    source: "kubectl/pkg/cmd/scale",
  },
  {
    run: 'patch widget a --type=merge -p \'{"spec":{"size":4}}\'',
    out: "widget.example.dev/a patched",
    source: "kubectl/pkg/cmd/patch",
  },
  {
    run: "delete widget a",
    out: 'widget.example.dev "a" deleted from suite namespace',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "delete crd widgets.example.dev",
    out: 'customresourcedefinition.apiextensions.k8s.io "widgets.example.dev" deleted',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "taint nodes --all suite=taken:NoSchedule",
    out: "node/<word> tainted",
    source: "kubectl/pkg/cmd/taint",
  },
  {
    run: "taint nodes --all suite=taken:NoSchedule",
    err: "error: node <word> already has suite taint(s) with same effect(s) and --overwrite is false",
    code: 1,
    source: "kubectl/pkg/cmd/taint",
  },
  {
    run: "taint nodes --all suite-",
    out: "node/<word> untainted",
    source: "kubectl/pkg/cmd/taint",
  },
  {
    run: "cordon -l kubernetes.io/os=linux",
    out: "node/<word> cordoned",
    source: "kubectl/pkg/cmd/drain",
  },
  {
    run: "get nodes",
    out: `
NAME  STATUS  ROLES  AGE  VERSION
<word>  Ready,SchedulingDisabled  <none>  <age>  <word>`,
    source: "kubernetes/pkg/printers/internalversion/printers.go",
  },
  {
    run: "drain -l kubernetes.io/os=linux",
    out: "node/<word> already cordoned",
    err: "<text>cannot delete<text>\n<…>",
    code: 1,
    source: "kubectl/pkg/drain",
  },
  {
    run: "drain -l kubernetes.io/os=linux --force --pod-selector=app=single --grace-period=1",
    out: "node/<word> already cordoned\nevicting pod suite/single\npod/single evicted\nnode/<word> drained",
    err: "<…>",
    source: "kubectl/pkg/drain",
  },
  {
    run: "uncordon -l kubernetes.io/os=linux",
    out: "node/<word> uncordoned",
    source: "kubectl/pkg/cmd/drain",
  },
  { run: "config current-context", out: "berth", source: "kubectl/pkg/cmd/config" },
  { run: "config get-clusters", out: "NAME\nberth", source: "kubectl/pkg/cmd/config" },
  { run: "config get-users", out: "NAME\n<word>", source: "kubectl/pkg/cmd/config" },
  {
    run: "config get-contexts",
    out: "CURRENT  NAME  CLUSTER  AUTHINFO  NAMESPACE\n*  berth  berth  <word>  suite",
    source: "kubectl/pkg/cmd/config",
  },
  {
    run: "config view -o 'jsonpath={.contexts[0].name}'",
    out: "berth",
    source: "kubectl/pkg/cmd/config",
  },
  {
    run: "config set-credentials other --token=x",
    out: 'User "other" set.',
    source: "kubectl/pkg/cmd/config",
  },
  {
    run: "get pods --user=other",
    err: "error: You must be logged in to the server (Unauthorized)",
    code: 1,
    source: "kubectl/pkg/cmd/util; apimachinery NewUnauthorized",
  },
  {
    run: "config delete-user other",
    out: "deleted user other from <text>",
    source: "kubectl/pkg/cmd/config",
  },
  { run: "completion bash", out: "<…>", source: "kubectl/pkg/cmd/completion" },
  { run: "options", out: "<…>", source: "kubectl/pkg/cmd/options" },
  {
    run: "plugin list",
    err: "<…>",
    code: 1,
    source: "kubectl/pkg/cmd/plugin",
  },
  {
    run: "delete pod box --grace-period=0 --force",
    out: 'pod "box" force deleted from suite namespace',
    err: "<…>",
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "delete namespace suite",
    out: 'namespace "suite" deleted',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "get pods -n suite",
    err: "No resources found in suite namespace.",
    source: "kubectl/pkg/cmd/get",
  },
  {
    run: "delete clusterrole,clusterrolebinding suite-reader suite-reads --ignore-not-found",
    out: 'clusterrole.rbac.authorization.k8s.io "suite-reader" deleted\nclusterrolebinding.rbac.authorization.k8s.io "suite-reads" deleted',
    source: "kubectl/pkg/cmd/delete",
  },
  {
    run: "delete priorityclass suite-high",
    out: 'priorityclass.scheduling.k8s.io "suite-high" deleted',
    source: "kubectl/pkg/cmd/delete",
  },
];
