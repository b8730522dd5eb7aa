/** Lists as clients page them, through two gateways on one nats-server. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryBucket } from "../../../libs/store/memory-bucket.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { natsStore } from "../../../libs/store/nats.ts";
import { systemClock as clock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { type Answer, type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { startNats } from "../../../test/nats-server.ts";
import { openMemoryGateway } from "../memory-gateway.ts";

const inHome = "/api/v1/namespaces/home/configmaps";
const all = "/api/v1/configmaps";

let opened: AsyncDisposableStack;
let open: () => Promise<HttpsClient>;
let [first, second]: HttpsClient[] = [];
/** The revisions at which there were none, one, … objects. */
const revisions: string[] = [];

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await startNats({ sync: "2m" }));
  const ports = { clock, random: systemRandom, log: createLog("api", "silent") };
  open = async () => {
    const state = opened.use(await natsStore({ url, bucket: "state", ...ports }));
    return httpsClient(opened.use(await openMemoryGateway({ state })));
  };
  [first, second] = [await open(), await open()];
  for (const name of ["home", "away"]) {
    await first.call("POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  }
  for (const name of ["b", "a-b", "a", "a.b", "c"]) {
    revisions.push(metaOf(await first.call("GET", inHome)).resourceVersion);
    const labels = { even: String(revisions.length % 2 === 0) };
    await first.call("POST", inHome, { body: { metadata: { name, labels } } });
  }
  await first.call("POST", inHome.replace("home", "away"), { body: { metadata: { name: "a" } } });
  revisions.push(metaOf(await first.call("GET", inHome)).resourceVersion);
});
afterAll(() => opened.disposeAsync());

type Meta = {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
};
const metaOf = ({ body }: Answer) => body["metadata"] as Meta; // A list's, or a Status'.
const namesIn = ({ body }: Answer) =>
  (body["items"] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
const gateway = (nth: number) => {
  const found = nth % 2 === 0 ? first : second;
  return found ?? expect.unreachable();
};
const list = (query: string, path = inHome, nth = 1) =>
  gateway(nth).call("GET", `${path}?${query}`);

describe("a list", () => {
  test.for([
    ["is sorted by name", "", ["a", "a-b", "a.b", "b", "c"]],
    ["of any revision", "resourceVersion=0", ["a", "a-b", "a.b", "b", "c"]],
    [
      "of any revision, said twice",
      "resourceVersion=0&resourceVersionMatch=NotOlderThan",
      ["a", "a-b", "a.b", "b", "c"],
    ],
    ["of a revision or later", "resourceVersion=@2", ["a", "a-b", "a.b", "b", "c"]],
    [
      "not older than a revision",
      "resourceVersion=@2&resourceVersionMatch=NotOlderThan",
      ["a", "a-b", "a.b", "b", "c"],
    ],
    [
      "not older, with a limit",
      "resourceVersion=@2&resourceVersionMatch=NotOlderThan&limit=2",
      ["a", "a-b"],
    ],
    ["of exactly a revision", "resourceVersion=@2&resourceVersionMatch=Exact", ["a-b", "b"]],
    [
      "of exactly a revision, with a limit",
      "resourceVersion=@2&resourceVersionMatch=Exact&limit=1",
      ["a-b"],
    ],
    ["of a revision with a limit: exactly that one", "resourceVersion=@2&limit=5", ["a-b", "b"]],
    [
      "of exactly a revision when there was nothing",
      "resourceVersion=@0&resourceVersionMatch=Exact",
      [],
    ],
    ["with a negative limit: all", "limit=-1", ["a", "a-b", "a.b", "b", "c"]],
    ["with a selector", "labelSelector=even%3Dtrue", ["a-b", "a.b"]],
    ["of one name", "fieldSelector=metadata.name%3Da", ["a"]],
  ] as const)("%s", async ([, query, names]) => {
    const answer = await list(
      query.replace(/@(\d)/, (_, nth: string) => revisions[Number(nth)] ?? ""),
    );
    expect(answer.code).toBe(200);
    expect(namesIn(answer)).toEqual(names);
    const asked = /resourceVersion=@(\d)/.exec(query)?.[1];
    const isExact = query.includes("Exact") || query.endsWith("limit=5");
    const newest = revisions.at(-1);
    const wanted = isExact && asked !== undefined ? revisions[Number(asked)] : newest;
    expect(metaOf(answer).resourceVersion).toBe(wanted);
  });

  const forbidden = "resourceVersionMatch: Forbidden: resourceVersionMatch";
  test.for([
    [
      "a match without a revision",
      "resourceVersionMatch=Exact",
      422,
      `${forbidden} is forbidden unless resourceVersion is provided`,
    ],
    [
      "a match of a page",
      "resourceVersion=1&resourceVersionMatch=NotOlderThan&continue=x",
      422,
      `${forbidden} is forbidden when continue is provided`,
    ],
    [
      "exactly any revision",
      "resourceVersion=0&resourceVersionMatch=Exact",
      422,
      `${forbidden} "exact" is forbidden for resourceVersion "0"`,
    ],
    [
      "a match that there is not",
      "resourceVersion=1&resourceVersionMatch=Nearly",
      422,
      'Unsupported value: "Nearly": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      "initial events",
      "sendInitialEvents=true",
      422,
      "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
    ],
    [
      "a revision that is none",
      "resourceVersion=x",
      400,
      'invalid resource version: resourceVersion: Invalid value: "x"',
    ],
    ["a limit that is none", "limit=many", 400, 'strconv.ParseInt: parsing "many": invalid syntax'],
    [
      "a token that is none",
      "continue=%7B",
      400,
      "invalid continue token: continue key is not valid",
    ],
    [
      "a token of another sort",
      `continue=${Buffer.from('{"v":"x"}').toString("base64url")}`,
      400,
      "server does not recognize this encoded version",
    ],
    [
      "a token without a revision",
      `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}').toString("base64url")}`,
      400,
      "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
    ],
    [
      "a token without a key",
      `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":""}').toString("base64url")}`,
      400,
      "encoded start key empty",
    ],
  ] as const)("refuses %s", async ([, query, code, message]) => {
    const answer = await list(query);
    expect(answer).toMatchObject({ code, body: { kind: "Status", code } });
    expect(answer.body["message"]).toContain(message);
  });

  test("a page's token with a revision beside it is refused", async () => {
    const { continue: token } = metaOf(await list("limit=1"));
    const answer = await list(`limit=1&continue=${token}&resourceVersion=5`);
    expect(answer).toMatchObject({
      code: 400,
      body: { message: "specifying resource version is not allowed when using continue" },
    });
  });

  test("pages one revision through any gateways, while others write", async () => {
    const before = await list("");
    const seen: string[] = [];
    const remaining: (number | undefined)[] = [];
    let token = "";
    for (let page = 0; page < 3; page += 1) {
      const answer = await list(`limit=2&continue=${token}`, inHome, page);
      seen.push(...namesIn(answer));
      const meta = metaOf(answer);
      remaining.push(meta.remainingItemCount);
      expect(meta.resourceVersion).toBe(metaOf(before).resourceVersion);
      token = meta.continue ?? "";
      await gateway(page).call("POST", inHome, { body: { metadata: { name: `a${page}` } } });
      await gateway(page).call("DELETE", `${inHome}/c`);
    }
    expect(seen).toEqual(["a", "a-b", "a.b", "b", "c"]);
    expect(remaining).toEqual([3, 1, undefined]);
    expect(token).toBe("");
  });

  test("counts what remains only where nothing selects, and pages what is selected", async () => {
    const answer = await list("limit=1&labelSelector=even%3Dtrue");
    expect(namesIn(answer)).toEqual(["a-b"]);
    expect(metaOf(answer)).not.toHaveProperty("remainingItemCount");
    const rest = await list(`labelSelector=even%3Dtrue&continue=${metaOf(answer).continue}`);
    expect(namesIn(rest)).toEqual(["a.b"]);
  });

  test("pages all namespaces, by namespace and name", async () => {
    const answer = await list("limit=1", all);
    expect(answer.body["items"]).toMatchObject([{ metadata: { namespace: "away", name: "a" } }]);
    const rest = await list(`limit=1&continue=${metaOf(answer).continue}`, all);
    expect(rest.body["items"]).toMatchObject([{ metadata: { namespace: "home", name: "a" } }]);
  });

  test("a page is taken up by a gateway that was not there", { timeout: 20_000 }, async () => {
    const page = await list("limit=1");
    const rest = namesIn(await list(`continue=${metaOf(page).continue}`));
    await gateway(0).call("POST", inHome, { body: { metadata: { name: "zzz" } } });
    await gateway(0).call("DELETE", `${inHome}/b`);
    const late = await open();
    const answer = await late.call("GET", `${inHome}?continue=${metaOf(page).continue}`);
    expect(namesIn(answer)).toEqual(rest);
    expect(metaOf(answer).resourceVersion).toBe(metaOf(page).resourceVersion);
  });

  test("shows through one gateway what was written through the other", async () => {
    for (let nth = 0; nth < 20; nth += 1) {
      const made = await gateway(nth).call("POST", inHome, {
        body: { metadata: { name: `w${nth}` } },
      });
      const [read, listed] = await Promise.all([
        gateway(nth + 1).call("GET", `${inHome}/w${nth}`),
        gateway(nth + 1).call("GET", inHome),
      ]);
      expect(read.body).toEqual(made.body);
      expect(namesIn(listed)).toContain(`w${nth}`);
      await gateway(nth + 1).call("DELETE", `${inHome}/w${nth}`);
      expect((await gateway(nth).call("GET", `${inHome}/w${nth}`)).code).toBe(404);
    }
  });
});

describe("a page whose revision is forgotten", () => {
  test("is 410 with a token for the rest as it is now; an exact list is 410", async () => {
    const state = memoryStore({ bucket: memoryBucket({ clock, recorded: 5 }) });
    await using early = await openMemoryGateway({ state });
    const by = httpsClient(early);
    await by.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "home" } } });
    for (const name of ["a", "b", "c"])
      await by.call("POST", inHome, { body: { metadata: { name } } });
    const page = metaOf(await by.call("GET", `${inHome}?limit=1`));
    for (let nth = 0; nth < 20; nth += 1) {
      await by.call("POST", inHome, { body: { metadata: { name: `d${nth}` } } });
    }
    await using late = await openMemoryGateway({ state });
    const client = httpsClient(late);
    const gone = await client.call("GET", `${inHome}?limit=2&continue=${page.continue}`);
    expect(gone).toMatchObject({ code: 410, body: { reason: "Expired", code: 410 } });
    expect(gone.body["message"]).toContain("use the continue token in this response");
    const rest = await client.call("GET", `${inHome}?limit=2&continue=${metaOf(gone).continue}`);
    expect(namesIn(rest)).toEqual(["b", "c"]);
    expect(metaOf(rest).remainingItemCount).toBe(20);
    const exact = `resourceVersion=${page.resourceVersion}&resourceVersionMatch=Exact`;
    expect(await client.call("GET", `${inHome}?${exact}`)).toMatchObject({
      code: 410,
      body: { reason: "Expired", message: "The resourceVersion for the provided list is too old." },
    });
  });
});
