/** Requests to a gateway in memory, one after another, each with what must come of it. */
import { expect, test } from "vitest";
import { type MemoryGateway, openMemoryGateway } from "../services/api/memory-gateway.ts";
import { type Answer, type HttpsClient, httpsClient, type Sent } from "./https-client.ts";

/** `[request, sent, code, the body]`; in all of them `$` stands for a name that is the case's own. */
export type Exchange = readonly [
  request: string,
  sent?: Sent,
  code?: number,
  body?: Readonly<Record<string, unknown>>,
];
export type Scenario = readonly [name: string, ...exchanges: Exchange[]];

const core = "/api/v1/namespaces/default";
const places: Readonly<Record<string, string>> = {
  configmaps: `${core}/configmaps`,
  secrets: `${core}/secrets`,
  pods: `${core}/pods`,
  services: `${core}/services`,
  deployments: "/apis/apps/v1/namespaces/default/deployments",
  leases: "/apis/coordination.k8s.io/v1/namespaces/default/leases",
  namespaces: "/api/v1/namespaces",
  nodes: "/api/v1/nodes",
};

export type Scenarios = {
  readonly gateway: () => MemoryGateway;
  readonly ask: (request: string, sent?: Sent) => Promise<Answer>;
  readonly expectAll: (scenarios: readonly Scenario[]) => void;
};

/** With a gateway that the file's tests share. `$uid` and `$rv` are the last object's that was replied. */
export function scenarios(
  before: (open: () => Promise<void>) => void,
  after: (end: () => Promise<void>) => void,
): Scenarios {
  let gateway: MemoryGateway | undefined;
  let client: HttpsClient | undefined;
  before(async () => {
    gateway = await openMemoryGateway();
    client = httpsClient(gateway);
    await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
  });
  after(async () => gateway?.[Symbol.asyncDispose]());

  async function ask(request: string, sent: Sent = {}): Promise<Answer> {
    const [method = "", target = ""] = request.split(" ");
    const [, place = "", rest = ""] = /^([^/?]*)(.*)$/s.exec(target) ?? [];
    if (client === undefined) throw new Error("the gateway is not open");
    return client.call(method, `${places[place] ?? place}${rest}`, sent);
  }

  let names = 0;
  async function expectExchanges(exchanges: readonly Exchange[]): Promise<void> {
    const name = `o${(names += 1)}`;
    let [uid, revision] = ["", ""];
    const filled = <T>(value: T): T =>
      JSON.parse(
        JSON.stringify(value)
          .replaceAll("$uid", uid)
          .replaceAll("$rv", revision)
          .replaceAll(/\$(?!patch|setElementOrder|retainKeys)/g, name),
      ) as T; // The same, with other words.
    for (const [request, sent = {}, code = 200, body = {}] of exchanges) {
      const asked = filled(request);
      const answer = await ask(asked, filled(sent));
      expect({ asked, code: answer.code, text: answer.text }).toMatchObject({ asked, code });
      const wanted = filled({ body })["body"] as object;
      expect(answer.body).toMatchObject(matching(wanted));
      const { metadata } = answer.body as { metadata?: { uid?: string; resourceVersion?: string } };
      uid = metadata?.uid ?? uid;
      revision = metadata?.resourceVersion ?? revision;
    }
  }
  return {
    gateway: () => gateway ?? expect.unreachable(),
    ask,
    expectAll(all) {
      const rows = all.map(([name, ...exchanges]) => ({ name, exchanges }));
      test.each(rows)("$name", ({ exchanges }) => expectExchanges(exchanges));
    },
  };
}

/** A text that begins with `~` need only be a part. */
function matching(wanted: unknown): object {
  const seen = (value: unknown): unknown => {
    if (typeof value === "string" && value.startsWith("~")) {
      return expect.stringContaining(value.slice(1));
    }
    if (Array.isArray(value)) return value.map(seen);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, seen(one)]));
  };
  return seen(wanted) as object; // It was one.
}
