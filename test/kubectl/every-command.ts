/** So much of the suite that each command is run, for a kubectl that cannot have the time of all of it. */
import type { Case } from "./case.ts";
import { changeCases } from "./change.ts";
import { createCases } from "./create.ts";
import { debugCases } from "./debug.ts";
import { readCases } from "./read.ts";
import { tellCases } from "./tell.ts";
import { workCases } from "./work.ts";

export const allCases: readonly Case[] = [
  ...createCases,
  ...readCases,
  ...tellCases,
  ...changeCases,
  ...debugCases,
  ...workCases,
];

/** Commands that go on until they are ended: a test of their own. */
export const goOn: readonly string[] = ["attach", "port-forward", "proxy"];

/** In an order in which each finds what it needs. */
const runs: readonly string[] = [
  "create namespace suite",
  "config set-context --current --namespace=suite",
  "create deployment web --image=berth/hello:v1 --replicas=2 --port=8080",
  "create serviceaccount robot",
  "create role reader --verb=get,list --resource=pods",
  "run single --image=berth/hello:v1 --port=8080 --labels=app=single",
  "run box --image=berth/hello:v1 --restart=Never --command -- sh -c 'echo from box; sleep 3600'",
  "expose deployment web --port=80 --target-port=8080",
  "autoscale deployment web --min=1 --max=3 --cpu=80%",
  "delete hpa web",
  "rollout status deployment/web --timeout=120s",
  "wait --for=condition=Ready pod/single pod/box --timeout=120s",
  "get deployment web",
  "get pods -l 'app in (single,web),app!=web' -o name",
  "describe pod single",
  "explain deployment.spec.strategy",
  "events --for deployment/web",
  "top pod single",
  "version -o json",
  "cluster-info",
  "api-resources --api-group=apps",
  "api-versions",
  "apply -f -",
  "diff -f -",
  "apply --server-side --field-manager=other --force-conflicts -f -",
  'patch cm applied -p \'{"data":{"size":"1"}}\'',
  "scale deployment web --replicas=2",
  "set image deployment/web hello=berth/hello:v2",
  "rollout undo deployment/web",
  "label pod single tier=front",
  "annotate pod single note=hello",
  "replace -f -",
  "replace --force -f -",
  "edit configmap applied",
  "kustomize kustomization",
  "logs box",
  "exec box -- echo hello",
  "exec -i box -- cat",
  "cp note.txt box:/tmp/note.txt",
  "auth can-i create pods",
  "auth whoami",
  "create -f request.yaml",
  "certificate approve ann",
  "delete csr ann",
  "taint nodes --all suite=taken:NoSchedule",
  "taint nodes --all suite-",
  "cordon -l kubernetes.io/os=linux",
  "drain -l kubernetes.io/os=linux --force --pod-selector=app=single --grace-period=1",
  "uncordon -l kubernetes.io/os=linux",
  "completion bash",
  "options",
  "plugin list",
  "delete pod box --grace-period=0 --force",
  "delete namespace suite",
];

const debug: Case = {
  run: "debug box --copy-to=copied --profile=general --set-image=*=berth/hello:v1",
  source: "kubectl/pkg/cmd/debug",
};

/** Each once, `debug` among them. */
export const everyCommand: readonly Case[] = runs.flatMap((run) => {
  const found = allCases.find((one) => one.run === run && one.code === undefined);
  const one = found ?? allCases.find((other) => other.run === run);
  if (one === undefined) throw new Error(`the suite has no case ${run}`);
  return run === "auth whoami" ? [one, debug] : [one];
});

/** The commands that `kubectl --help` lists. */
export function commandsIn(help: string): readonly string[] {
  const listed = help.split("\nUsage:")[0] ?? "";
  return [...listed.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gm)].map(([, command = ""]) => command);
}
