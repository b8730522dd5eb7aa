/** Webhooks of a gateway in memory, over real HTTPS: each configured for as long as a test needs it. */
import { expect } from "vitest";
import { type Refusals, refusals } from "./refusals.ts";
import { type Asked, openWebhookServer, type WebhookServer } from "./webhook-server.ts";

const group = "/apis/admissionregistration.k8s.io/v1";

export type Review = {
  readonly apiVersion: string;
  readonly request: Readonly<Record<string, unknown>> & {
    readonly uid: string;
    readonly object: Thing | null;
    readonly oldObject: Thing | null;
  };
};
export type Thing = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
};
type Response = Readonly<Record<string, unknown>> | undefined;
export type Answering = (request: Review["request"]) => Response | Promise<Response>;

export const allow: Answering = () => ({ allowed: true });
export const patched = (...patch: readonly object[]) => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
});
/** Adds a label, and makes room for labels where there are none. */
export const labelled =
  (name: string, value = "yes"): Answering =>
  ({ object }) =>
    patched(
      ...(object?.metadata.labels === undefined
        ? [{ op: "add", path: "/metadata/labels", value: {} }]
        : []),
      { op: "add", path: `/metadata/labels/${name}`, value },
    );

type Sort = "mutating" | "validating";
export const configMaps = {
  operations: ["CREATE", "UPDATE", "DELETE"],
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["configmaps"],
};

export const config = (name: string, more: object = {}) => ({
  body: { metadata: { name, ...more }, data: { a: "1" } },
});
export const labelsOf = (body: Record<string, unknown>) => (body as Thing).metadata.labels; // Every object has metadata.

export type Configured = AsyncDisposable & {
  /** What one of its webhooks was asked. */
  readonly asked: (nth?: number) => readonly Review[];
};
export type Webhooks = Pick<Refusals, "ask" | "refused" | "gateway"> & {
  readonly server: () => WebhookServer;
  /** Answers on a path. */
  readonly answer: (path: string, answers: Answering) => void;
  /** A configuration of webhooks, each with a path and what it answers there, until it is disposed of. */
  readonly configured: (
    sort: Sort,
    name: string,
    ...webhooks: readonly (Readonly<Record<string, unknown>> & { readonly answers: Answering })[]
  ) => Promise<Configured>;
};

/** A gateway, and webhooks that its configurations name, for all tests of a file. */
export function webhooksOf(hooks: {
  readonly beforeAll: (begin: () => Promise<void>) => void;
  readonly afterAll: (end: () => Promise<void>) => void;
}): Webhooks {
  const { ask, refused, gateway } = refusals(hooks.afterAll);
  const answering = new Map<string, Answering>();
  let server: WebhookServer;
  hooks.beforeAll(async () => {
    const hosts = ["127.0.0.1", "hooks.default.svc"];
    server = await openWebhookServer(async ({ path, body }) => {
      const { apiVersion, request } = body as Review; // Nothing else is sent to a webhook.
      const response = await answering.get(path.split("?")[0] ?? "")?.(request);
      if (response === undefined) return undefined;
      return { apiVersion, kind: "AdmissionReview", response: { uid: request.uid, ...response } };
    }, hosts);
  });
  hooks.afterAll(async () => server[Symbol.asyncDispose]());

  async function configured(
    sort: Sort,
    name: string,
    ...webhooks: readonly (Readonly<Record<string, unknown>> & { readonly answers: Answering })[]
  ): Promise<Configured> {
    const path = (nth: number) => `/${sort}/${name}/${nth}`;
    const plural = `${sort}webhookconfigurations`;
    const body = {
      metadata: { name },
      webhooks: webhooks.map(({ answers, ...rest }, nth) => {
        answering.set(path(nth), answers);
        return {
          name: `hook-${nth}.${name}.example.com`,
          clientConfig: { url: `${server.url}${path(nth)}`, caBundle: server.caBundle },
          rules: [configMaps],
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
          ...rest,
        };
      }),
    };
    const from = server.asked.length;
    const made = await ask(`POST ${group}/${plural}`, { body });
    expect(made.text).toContain('"uid"');
    return {
      asked: (nth = 0) =>
        server.asked
          .slice(from)
          .filter((one: Asked) => one.path.startsWith(`${path(nth)}?`))
          .map(({ body: review }) => review as Review), // As above.
      async [Symbol.asyncDispose]() {
        const gone = await ask(`DELETE ${group}/${plural}/${name}`);
        expect(gone.code).toBe(200);
      },
    };
  }

  const answer: Webhooks["answer"] = (path, answers) => void answering.set(path, answers);
  return { ask, refused, gateway, server: () => server, answer, configured };
}
