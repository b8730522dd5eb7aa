/** Tables of requests that a gateway must refuse, each of which must change nothing. */
import { expect, test } from "vitest";
import { type MemoryGateway, openMemoryGateway } from "../services/api/memory-gateway.ts";
import { type Answer, type HttpsClient, httpsClient, type Sent } from "./https-client.ts";

/**
 * `request` is a method and a path, whose first segment may be one of `places`. `status` is the code
 * and the reason. All of `said` is in the Status' message or in its details.
 */
export type Case = readonly [
  name: string,
  request: string,
  sent: Sent,
  status: `${number} ${string}`,
  ...said: string[],
];

export const container = { name: "web", image: "web:v1" };
export const spec = {
  replicas: 1,
  selector: { matchLabels: { app: "web" } },
  template: { metadata: { labels: { app: "web" } }, spec: { containers: [container] } },
};
export const web = { metadata: { name: "web" }, spec };
export const named = (name: string) => ({ metadata: { name } });
export const aDeployment = (change: object) => ({ ...named("bad"), spec: { ...spec, ...change } });
export const aPod = (change: object) => ({
  ...named("bad"),
  spec: { containers: [{ ...container, ...change }] },
});

export const yaml = (bytes: string): Sent => ({ bytes, contentType: "application/yaml" });
export const protobuf = (bytes: string): Sent => ({
  bytes: Buffer.from(bytes, "latin1"),
  contentType: "application/vnd.kubernetes.protobuf",
});
export const mergePatch = (body: object): Sent => ({
  body,
  contentType: "application/merge-patch+json",
});
export const jsonPatch = (...body: object[]): Sent => ({
  body,
  contentType: "application/json-patch+json",
});
export const strategicPatch = (body: object): Sent => ({
  body,
  contentType: "application/strategic-merge-patch+json",
});

const inDefault = "/api/v1/namespaces/default";
const places: Readonly<Record<string, string>> = {
  configmaps: `${inDefault}/configmaps`,
  secrets: `${inDefault}/secrets`,
  pods: `${inDefault}/pods`,
  services: `${inDefault}/services`,
  deployments: "/apis/apps/v1/namespaces/default/deployments",
};

export type Refusals = {
  readonly gateway: () => Promise<MemoryGateway>;
  /** Sends it, and sees to it that nothing is written. */
  readonly refused: (request: string, sent: Sent) => Promise<Answer>;
  /** Sends it. */
  readonly ask: (request: string, sent?: Sent) => Promise<Answer>;
  readonly expectRefusals: (cases: readonly Case[]) => void;
};

/** With a gateway, shared by the file's tests, that holds the Deployment `web` and the ConfigMap `there`. */
export function refusals(whenDone: (end: () => Promise<void>) => void): Refusals {
  let opened: Promise<{ gateway: MemoryGateway; client: HttpsClient }> | undefined;
  const open = () => (opened ??= openWithObjects());
  whenDone(async () => (await opened)?.gateway[Symbol.asyncDispose]());

  async function ask(request: string, sent: Sent = {}): Promise<Answer> {
    const [method = "", target = ""] = request.split(" ");
    const [place = "", rest = ""] = target.split(/(?=[/?])(.*)/s);
    const { client } = await open();
    return client.call(method, `${places[place] ?? place}${rest}`, sent);
  }
  async function refused(request: string, sent: Sent): Promise<Answer> {
    const { store } = (await open()).gateway;
    const before = await store.lastRevision();
    const answer = await ask(request, sent);
    expect(await store.lastRevision()).toBe(before);
    return answer;
  }
  return {
    gateway: async () => (await open()).gateway,
    ask,
    refused,
    expectRefusals(cases) {
      const rows = cases.map(([name, request, sent, status, ...said]) => ({
        name,
        request,
        sent,
        status,
        said,
      }));
      test.each(rows)("$name", async ({ request, sent, status, said }) => {
        const [code = "", reason] = status.split(" ");
        const answer = await refused(request, sent);
        const wanted = { kind: "Status", apiVersion: "v1", status: "Failure", reason };
        expect(answer.body).toMatchObject({ ...wanted, code: Number(code) });
        expect(answer.code).toBe(Number(code));
        const { message, details } = answer.body;
        const text = `${String(message)}\n${JSON.stringify(details)}`;
        for (const one of said) expect(text).toContain(one);
      });
    },
  };
}

async function openWithObjects(): Promise<{ gateway: MemoryGateway; client: HttpsClient }> {
  const gateway = await openMemoryGateway();
  const client = httpsClient(gateway);
  await client.call("POST", "/api/v1/namespaces", { body: named("default") });
  await client.call("POST", places["deployments"] ?? "", { body: web });
  await client.call("POST", places["configmaps"] ?? "", { body: named("there") });
  return { gateway, client };
}
