/** The NATS subjects of design §2 and §3: every subject that two services share is made here. */

/** A name as one token of a subject or key: `.` becomes `/`, what a token cannot hold `=XX`. */
export function token(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_:-]/gu, (char) =>
    char === "." ? "/" : [...new TextEncoder().encode(char)].map(escaped).join(""),
  );
}

/** The name that `token` was made of. */
export function untoken(encoded: string): string {
  const bytes = encoded.replaceAll("/", ".").replaceAll(/=([0-9A-F]{2})/g, "%$1");
  return decodeURIComponent(bytes);
}

const escaped = (byte: number) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;

/**
 * Requests from a node's agent (`node`) or from a machine's lb (`lbId(machine)`) to the controllers;
 * `usage` is told to whoever listens.
 */
export type ControlVerb =
  | "heartbeat"
  | "report"
  | "snapshot"
  | "config"
  | "volumes"
  | "drain"
  | "usage";
export const controlSubject = (sender: string, verb: ControlVerb) =>
  `berth.ctl.${token(sender)}.${verb}`;
/** What the controllers serve: every sender's requests of one verb. */
export const controlSubjects = (verb: ControlVerb) => `berth.ctl.*.${verb}`;
/** The sender of a control request, from its subject. */
export const senderOf = (subject: string) => untoken(subject.split(".")[2] ?? "");

/** An lb's id: a node's name never begins with `_`. */
export const lbId = (machine: string) => `_${machine}`;

/** Commands from the control plane to a node's agent. */
export type NodeVerb = "logs" | "exec" | "forward" | "changed";
export const nodeSubject = (node: string, verb: NodeVerb) => `berth.node.${token(node)}.${verb}`;

/** The hint of a write of `key` (its body, `Nats-Sequence`, `Nats-Last-Sequence`, `Nats-Rollup` for a delete). */
export const hintSubject = (key: string) => `berth.state.${key}`;
export const assignHints = (node: string) => hintSubject(`assign.${token(node)}.>`);
/** What the keys of Services and of EndpointSlices begin with: what lbs hear of. */
export const servicePrefix = "services.";
export const slicePrefix = "endpointslices/discovery/k8s/io.";
export const serviceHints = hintSubject(`${servicePrefix}>`);
export const sliceHints = hintSubject(`${slicePrefix}>`);

/** The gateway over NATS. */
export type ApiVerb =
  | "apply"
  | "create"
  | "delete"
  | "deletecollection"
  | "get"
  | "list"
  | "parked"
  | "patch"
  | "update"
  | "watch";
export const apiSubject = (verb: ApiVerb) => `berth.api.${verb}`;
/** Where gateways take streams that carry a request of the Kubernetes API each (`rest.ts`). */
export const apiStreams = "berth.api.rest";
export const manifestSubjects = "berth.manifests.>";
/** Who publishes to `berth.manifests.<publisher>[.…]`: NATS lets nobody else, where it is told so. */
export const publisherOf = (subject: string): string => subject.split(".")[2] ?? "";
/** Where the outcome of a publish to `berth.manifests.<rest>` appears. */
export const resultSubject = (rest: string) => `berth.results.${rest}`;

/** Actors that keep failing, listed and retried. */
export const failingSubject = "berth.controllers.failing";
/** Where programs tell the numbers that autoscalers go by. */
export const reportedMetricsSubject = "berth.metrics";
/** What is measured of the controllers' actors. */
export const metricsSubject = "berth.controllers.metrics";
/** What is measured of the schedulers' batches. */
export const schedulerMetricsSubject = "berth.scheduler.metrics";

/** Why a pod is where it is, or is nowhere: any scheduler answers (`explain.ts`). */
export const explainSubject = "berth.scheduler.explain";

/** A direct message to an actor, by its address `<kind>/<namespace>/<name>` or `<kind>/<name>`. */
export const actorSubject = (address: string) =>
  `berth.actors.${address.split("/").map(token).join(".")}`;
export const actorSubjects = "berth.actors.>";
/** The actor that a direct message is for. */
export function actorOf(subject: string): { readonly kind: string; readonly name: string } {
  const [kind = "", ...name] = subject.split(".").slice(2).map(untoken);
  return { kind, name: name.join("/") };
}
