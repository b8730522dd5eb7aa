/** Who asks, as a gateway in this process sees it over HTTPS. */
import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Answer,
  type HttpsClient,
  httpsClient,
  type Sent,
} from "../../../test/https-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
let gateway: MemoryGateway;
let client: HttpsClient;

beforeAll(async () => {
  gateway = await openMemoryGateway();
  client = httpsClient(gateway);
  for (const name of ["default", "shop"]) await made("/api/v1/namespaces", { metadata: { name } });
  await made(accounts, { metadata: { name: "robot" } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const accounts = "/api/v1/namespaces/shop/serviceaccounts";
const pods = "/api/v1/namespaces/shop/pods";
const ask = (method: string, path: string, sent?: Sent) => client.call(method, path, sent);
const post = (path: string, body: object, sent: Sent = {}) => ask("POST", path, { ...sent, body });

async function made(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await post(path, body);
  expect(answer).toMatchObject({ code: 201 });
  return answer.body;
}

const tokenOf = (answer: Answer): string => {
  expect(answer).toMatchObject({ code: 201, body: { status: { token: expect.any(String) } } });
  return (answer.body["status"] as { token: string }).token; // As just seen.
};
const requested = async (name: string, spec: object = {}) =>
  tokenOf(await post(`${accounts}/${name}/token`, { spec }));

async function whoami(sent: Sent = {}): Promise<unknown> {
  const answer = await post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, sent);
  return answer.code === 201
    ? (answer.body["status"] as { userInfo: unknown }).userInfo
    : answer.code;
}

const robotGroups = [
  "system:serviceaccounts",
  "system:serviceaccounts:shop",
  "system:authenticated",
];
const aPod = (name: string, serviceAccountName: string) => ({
  metadata: { name },
  spec: { serviceAccountName, containers: [{ name: "c", image: "c:1" }] },
});

describe("a request", () => {
  test("with the gateway's own token is the administrator's", async () => {
    expect(await whoami()).toEqual({
      username: "kubernetes-admin",
      groups: ["system:masters", "system:authenticated"],
    });
  });

  test.each(["", "nonsense", "a.b.c"])("with no valid token is nobody's", async (token) => {
    expect(await whoami({ token })).toBe(401);
    for (const path of ["/livez", "/readyz", "/healthz", "/version"])
      expect((await ask("GET", path, { token })).code).toBe(200);
  });

  test("with a ServiceAccount's token is that account's", async () => {
    const token = await requested("robot");
    expect(await whoami({ token })).toEqual({
      username: "system:serviceaccount:shop:robot",
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      groups: robotGroups,
      extra: {
        "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^JTI=[0-9a-f-]+$/)],
      },
    });
  });

  test("may carry its token in a WebSocket's subprotocol", async () => {
    const token = await requested("robot");
    const offered = `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
    const sent = { token: "", headers: { "sec-websocket-protocol": offered } };
    expect(await whoami(sent)).toMatchObject({ username: "system:serviceaccount:shop:robot" });
  });
});

describe("a ServiceAccount's token", () => {
  test("dies with its account, and another of the name does not revive it", async () => {
    await made(accounts, { metadata: { name: "brief" } });
    const token = await requested("brief");
    expect(await whoami({ token })).toMatchObject({ username: "system:serviceaccount:shop:brief" });
    expect((await ask("DELETE", `${accounts}/brief`)).code).toBe(200);
    expect(await whoami({ token })).toBe(401);
    await made(accounts, { metadata: { name: "brief" } });
    expect(await whoami({ token })).toBe(401);
  });

  test("that is bound to a pod says so, and dies with the pod", async () => {
    const pod = await made(pods, aPod("bound", "robot"));
    const { uid } = pod["metadata"] as { uid: string };
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "bound", uid };
    const token = await requested("robot", { boundObjectRef });
    expect(await whoami({ token })).toMatchObject({
      extra: {
        "authentication.kubernetes.io/pod-name": ["bound"],
        "authentication.kubernetes.io/pod-uid": [uid],
      },
    });
    await ask("DELETE", `${pods}/bound`);
    expect(await whoami({ token })).toBe(401);
  });

  test("for another audience is not for the API, and is read for that one", async () => {
    const token = await requested("robot", { audiences: ["vault", issuer.toUpperCase()] });
    expect(await whoami({ token })).toBe(401);
    const review = (audiences: string[]) =>
      post("/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token, audiences } });
    expect((await review(["vault", "other"])).body["status"]).toMatchObject({
      authenticated: true,
      audiences: ["vault"],
      user: { username: "system:serviceaccount:shop:robot", groups: robotGroups },
    });
    expect((await review(["other"])).body["status"]).toEqual({
      user: {},
      error: expect.any(String),
    });
  });

  test("is signed with a key that the gateway shows", async () => {
    const [head = "", claims = "", signature = ""] = (await requested("robot")).split(".");
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
    expect(read(claims)).toMatchObject({ iss: issuer, aud: [issuer] });
    const { keys } = (await ask("GET", "/openid/v1/jwks")).body as { keys: JsonWebKey[] };
    expect(keys).toEqual([expect.objectContaining(read(head) as object)]);
    const key = createPublicKey({ key: keys[0] ?? {}, format: "jwk" });
    const signed = Buffer.from(`${head}.${claims}`);
    const given = Buffer.from(signature, "base64url");
    expect(verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, given)).toBe(true);
    expect((await ask("GET", "/.well-known/openid-configuration")).body).toMatchObject({
      issuer,
      jwks_uri: `${issuer}/openid/v1/jwks`,
    });
  });

  test.each([
    ["for no account", "none", {}, 404, 'serviceaccounts "none" not found'],
    ["for too short a time", "robot", { expirationSeconds: 599 }, 422, "less than 10 minutes"],
    ["for too long a time", "robot", { expirationSeconds: 2 ** 33 }, 422, "larger than 2^32"],
    [
      "bound to another's pod",
      "robot",
      { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "others" } },
      400,
      "different serviceaccount name",
    ],
    [
      "bound to a pod of another uid",
      "robot",
      { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "mine", uid: "x" } },
      409,
      "does not match the UID in record",
    ],
    [
      "bound to a Deployment",
      "robot",
      { boundObjectRef: { kind: "Deployment", apiVersion: "apps/v1", name: "mine" } },
      400,
      "cannot bind token to object of type",
    ],
  ])("is refused %s", async (_name, account, spec, code, said) => {
    await post(accounts, { metadata: { name: "other" } });
    await post(pods, aPod("others", "other"));
    await post(pods, aPod("mine", "robot"));
    const refused = await post(`${accounts}/${account}/token`, { spec });
    expect(refused).toMatchObject({ code, body: { message: expect.stringContaining(said) } });
  });

  test("lives a year at most, which is told", async () => {
    const answer = await post(`${accounts}/robot/token`, { spec: { expirationSeconds: 1e9 } });
    expect(answer).toMatchObject({
      code: 201,
      body: { spec: { expirationSeconds: 31_536_000 } },
      warnings: [expect.stringContaining("shortened to 31536000 seconds")],
    });
  });
});

describe("impersonation", () => {
  const as = (headers: NonNullable<Sent["headers"]>) => whoami({ headers });

  test("makes the request another's, whole", async () => {
    const headers = {
      "Impersonate-User": "jane",
      "Impersonate-Group": ["devs", "ops"],
      "Impersonate-Uid": "u-1",
      "Impersonate-Extra-acme.example%2Fproject": ["a", "b"],
    };
    expect(await as(headers)).toEqual({
      username: "jane",
      uid: "u-1",
      groups: ["devs", "ops", "system:authenticated"],
      extra: { "acme.example/project": ["a", "b"] },
    });
  });

  test("gives a ServiceAccount its groups", async () => {
    expect(await as({ "Impersonate-User": "system:serviceaccount:shop:robot" })).toEqual({
      username: "system:serviceaccount:shop:robot",
      groups: robotGroups,
    });
  });

  test("of a group alone is refused", async () => {
    expect(await as({ "Impersonate-Group": "devs" })).toBe(400);
  });

  test("needs somebody who asks for it", async () => {
    expect(await whoami({ token: "", headers: { "Impersonate-User": "jane" } })).toBe(401);
  });
});

describe("a review", () => {
  const reviews = "/apis/authorization.k8s.io/v1";
  const resourceAttributes = { verb: "get", resource: "pods", namespace: "shop" };

  test.each([
    ["selfsubjectaccessreviews", { resourceAttributes }, true],
    ["selfsubjectaccessreviews", { nonResourceAttributes: { verb: "get", path: "/x" } }, true],
    ["subjectaccessreviews", { resourceAttributes, user: "jane" }, true],
    ["subjectaccessreviews", { resourceAttributes, groups: ["devs"] }, true],
    ["subjectaccessreviews", { resourceAttributes, user: "system:anonymous" }, false],
    ["namespaces/shop/localsubjectaccessreviews", { resourceAttributes, user: "jane" }, true],
  ])("%s says who may", async (name, spec, allowed) => {
    expect(await post(`${reviews}/${name}`, { spec })).toMatchObject({
      code: 201,
      body: { spec, status: { allowed } },
    });
  });

  test.each([
    ["selfsubjectaccessreviews", {}, 422],
    ["subjectaccessreviews", { resourceAttributes }, 422],
    ["namespaces/other/localsubjectaccessreviews", { resourceAttributes, user: "jane" }, 422],
    ["selfsubjectrulesreviews", {}, 400],
  ])("%s refuses %o", async (name, spec, code) => {
    expect((await post(`${reviews}/${name}`, { spec })).code).toBe(code);
  });

  test("is discovered, as is what accounts can be asked for", async () => {
    const { body } = await ask("GET", "/api/v1");
    const resources = body["resources"] as { name: string; kind: string }[];
    expect(resources.find(({ name }) => name === "serviceaccounts/token")?.kind).toBe(
      "TokenRequest",
    );
    const local = (await ask("GET", reviews)).body["resources"];
    expect(local).toContainEqual(
      expect.objectContaining({ name: "localsubjectaccessreviews", namespaced: true }),
    );
  });
});
