/** Tables of server-side apply through a gateway: each row an object of its own. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type HttpsClient, httpsClient } from "./https-client.ts";
import { shownPaths } from "../libs/model/fields/field-set.ts";
import type { Subresource } from "../libs/model/kind.ts";
import { decodeManaged } from "../libs/model/fields/managed.ts";
import { type MemoryGateway, openMemoryGateway } from "../services/api/memory-gateway.ts";

let gateway: MemoryGateway | undefined;
let opened: HttpsClient | undefined;
const client: Pick<HttpsClient, "call"> = {
  call: (...asked) => (opened ?? expect.unreachable("no gateway is open")).call(...asked),
};

/** Opens the gateway that a file's tests share. */
export function withGateway(): Pick<HttpsClient, "call"> {
  beforeAll(async () => {
    gateway = await openMemoryGateway();
    opened = httpsClient(gateway);
    await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
  });
  afterAll(async () => gateway?.[Symbol.asyncDispose]());
  return client;
}

type Place = { readonly path: string; readonly apiVersion: string; readonly kind: string };
const core = (plural: string, kind: string): Place => ({
  path: `/api/v1/namespaces/default/${plural}`,
  apiVersion: "v1",
  kind,
});
export const configMaps = core("configmaps", "ConfigMap");
export const services = core("services", "Service");
export const pods = core("pods", "Pod");
export const accounts = core("serviceaccounts", "ServiceAccount");
export const deployments: Place = {
  path: "/apis/apps/v1/namespaces/default/deployments",
  apiVersion: "apps/v1",
  kind: "Deployment",
};
export const autoscalers = (version: "v1" | "v2"): Place => ({
  path: `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`,
  apiVersion: `autoscaling/${version}`,
  kind: "HorizontalPodAutoscaler",
});

type Verb = "apply" | "force" | "post" | "put" | "merge" | "strategic" | "json" | "delete";
type Step = {
  readonly verb: Verb;
  readonly by: string;
  readonly body?: object;
  readonly query?: string;
  readonly sub?: Subresource;
  readonly at?: Place;
  /** What is answered, when it is no success. */
  readonly code?: number;
};
type Ends = {
  /** Of the last answer. */
  readonly code?: number;
  readonly message?: string;
  readonly object?: object;
  readonly absent?: readonly string[];
  /** `name`, `name/subresource`, and `name!` for who updates → paths. */
  readonly owners?: Readonly<Record<string, readonly string[]>>;
};
export type Row = readonly [name: string, place: Place, steps: readonly Step[], ends: Ends];

const step =
  (verb: Verb) =>
  (by: string, body: object, more: Omit<Step, "verb" | "by" | "body"> = {}): Step => ({
    verb,
    by,
    body,
    ...more,
  });
export const apply = step("apply");
export const force = step("force");
export const post = step("post");
export const put = step("put");
export const merge = step("merge");
export const strategic = step("strategic");
export const json = step("json");

const types: Readonly<Partial<Record<Verb, string>>> = {
  apply: "application/apply-patch+yaml",
  force: "application/apply-patch+yaml",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
};

export async function run(place: Place, name: string, one: Step): Promise<Answer> {
  const { verb, by, sub, at = place } = one;
  const query = new URLSearchParams(one.query ?? "");
  if (by !== "") query.set("fieldManager", by);
  if (verb === "force") query.set("force", "true");
  const object = one.body as { readonly metadata?: object };
  const head = { apiVersion: at.apiVersion, kind: at.kind };
  const whole = { ...head, ...object, metadata: { name, ...object.metadata } };
  const method = verb === "post" ? "POST" : verb === "put" ? "PUT" : "PATCH";
  const path =
    verb === "post" ? at.path : `${at.path}/${name}${sub === undefined ? "" : `/${sub}`}`;
  const contentType = types[verb];
  const isPatch = verb === "merge" || verb === "strategic" || verb === "json";
  return client.call(method, `${path}?${query.toString()}`, {
    body: isPatch ? object : whole,
    ...(contentType !== undefined && { contentType }),
  });
}

export function owners(body: unknown): Record<string, readonly string[]> {
  const { metadata } = body as { readonly metadata: { readonly managedFields?: unknown } };
  const managed = [...(decodeManaged(metadata.managedFields) ?? new Map()).values()];
  return Object.fromEntries(
    managed.map(({ manager, set }) => {
      const { name, subresource, operation } = manager;
      const where = subresource === "" ? name : `${name}/${subresource}`;
      return [operation === "Update" ? `${where}!` : where, shownPaths(set)];
    }),
  );
}

export const container = { name: "web", image: "web:v1" };
export const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [container] },
};
export const selector = { matchLabels: { app: "web" } };
export const web = { spec: { replicas: 1, selector, template } };
export const scaled = (replicas: number) => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  spec: { replicas },
});
export const containers = (...list: object[]) => ({
  spec: { template: { spec: { containers: list } } },
});
export const webPaths = [
  ".spec.replicas",
  ".spec.selector",
  ".spec.template.metadata.labels.app",
  '.spec.template.spec.containers[name="web"]',
  '.spec.template.spec.containers[name="web"].image',
  '.spec.template.spec.containers[name="web"].name',
];
export const condition = (type: string) => ({
  type,
  status: "True",
  lastUpdateTime: "2026-01-01T00:00:00Z",
  lastTransitionTime: "2026-01-01T00:00:00Z",
  reason: "r",
  message: "m",
});

export function lastApplied(): string {
  return "kubectl.kubernetes.io/last-applied-configuration";
}

export function expectRows(rows: readonly Row[]): void {
  test.each(rows.map((row, nth) => [row[0], row, `row-${nth}`] as const))(
    "%s",
    async (_name, [, place, steps, ends], name) => {
      const answers: Answer[] = [];
      for (const one of steps) answers.push(await run(place, name, one));
      for (const answer of answers.slice(0, -1)) expect(answer.text).not.toContain('"Failure"');
      const last = answers.at(-1);
      if (ends.code !== undefined)
        expect([last?.code, last?.text]).toEqual([ends.code, last?.text]);
      if (ends.message !== undefined) expect(last?.body["message"]).toContain(ends.message);
      else expect(last?.text).not.toMatch(/"status":"Failure"(?!.*"code":(404|422))/);
      const { body } = await client.call("GET", `${place.path}/${name}`);
      if (ends.object !== undefined) expect(body).toMatchObject(ends.object);
      for (const path of ends.absent ?? []) expect(at(body, path)).toBeUndefined();
      if (ends.owners !== undefined) expect(owners(body)).toEqual(ends.owners);
    },
  );
}

export const at = (value: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((held, key) => (held as Record<string, unknown> | undefined)?.[key], value);
