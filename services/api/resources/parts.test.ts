/** Parts of a pod's spec that are written by themselves, through a gateway. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  apply,
  expectRows,
  pods,
  post,
  put,
  type Row,
  strategic,
  withGateway,
} from "../../../test/apply-cases.ts";
import { clientOver } from "../../../libs/client/client.ts";
import { overNats } from "../../../libs/client/over-nats.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

const client = withGateway();
const web = { name: "web", image: "web:v1" };
const aPod = { spec: { containers: [web] } };
const debug = { name: "debug", image: "box:v1" };
const added = { spec: { ephemeralContainers: [debug] } };
/** As kubectl debug writes it. */
const asKubectl = {
  spec: { "$setElementOrder/ephemeralContainers": [{ name: "debug" }], ...added.spec },
};
const adding = { sub: "ephemeralcontainers" } as const;
const resizing = { sub: "resize" } as const;
const sized = (cpu: string, more: object = {}) => ({
  spec: { containers: [{ name: "web", resources: { requests: { cpu } }, ...more }] },
});
const cpuPath = (list: string) => `.spec.${list}[name="web"].resources.requests.cpu`;

const rows: readonly Row[] = [
  [
    "adds an ephemeral container by a strategic patch, whose fields are its own",
    pods,
    [post("", aPod), strategic("kubectl-debug", asKubectl, adding)],
    {
      code: 200,
      object: { spec: { ephemeralContainers: [debug] }, metadata: { generation: 2 } },
      owners: expect.objectContaining({
        "kubectl-debug/ephemeralcontainers!": expect.arrayContaining([
          '.spec.ephemeralContainers[name="debug"].image',
        ]),
      }),
    },
  ],
  [
    "adds one by a replacement, and nothing else of that",
    pods,
    [post("", aPod), put("", { ...added, metadata: { labels: { a: "b" } } }, adding)],
    { code: 200, object: added, absent: ["metadata.labels"] },
  ],
  [
    "adds one by an apply",
    pods,
    [post("", aPod), apply("me", added, adding)],
    {
      code: 200,
      object: added,
      owners: expect.objectContaining({
        "me/ephemeralcontainers": expect.arrayContaining([
          '.spec.ephemeralContainers[name="debug"].name',
        ]),
      }),
    },
  ],
  [
    "adds a second one beside the first",
    pods,
    [
      post("", aPod),
      strategic("", asKubectl, adding),
      strategic("", { spec: { ephemeralContainers: [{ ...debug, name: "more" }] } }, adding),
    ],
    { code: 200, object: { spec: { ephemeralContainers: [{}, {}] } } },
  ],
  [
    "adds none by a write of the pod itself",
    pods,
    [post("", aPod), strategic("", asKubectl)],
    { code: 422, message: "pod updates may not change fields other than" },
  ],
  [
    "is refused a change of one that is there",
    pods,
    [
      post("", aPod),
      strategic("", asKubectl, adding),
      strategic("", { spec: { ephemeralContainers: [{ ...debug, tty: true }] } }, adding),
    ],
    { code: 422, message: 'existing ephemeral containers "debug" may not be changed' },
  ],
  [
    "resizes by a strategic patch, whose fields are its own",
    pods,
    [post("", sized("1", web)), strategic("kubectl-patch", sized("2"), resizing)],
    {
      code: 200,
      object: sized("2"),
      owners: expect.objectContaining({ "kubectl-patch/resize!": [cpuPath("containers")] }),
    },
  ],
  [
    "resizes none by a write of the pod itself",
    pods,
    [post("", sized("1", web)), strategic("", sized("2"))],
    { code: 422, message: "pod updates may not change fields other than" },
  ],
  [
    "resizes nothing of another class",
    pods,
    [post("", aPod), strategic("", sized("2"), resizing)],
    {
      code: 422,
      message:
        'spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
    },
  ],
];
describe("a part of a pod", () => {
  expectRows(rows);

  test("is read as the pod, and is known to who asks", async () => {
    const { body } = await client.call("GET", "/api/v1");
    const { resources } = body as { resources: { name: string; verbs: string[]; kind: string }[] };
    for (const name of ["pods/ephemeralcontainers", "pods/resize"]) {
      expect(resources.find((one) => one.name === name)).toMatchObject({
        kind: "Pod",
        verbs: ["get", "patch", "update"],
      });
    }
    await client.call("POST", pods.path, { body: { metadata: { name: "read" }, ...aPod } });
    const answers = await Promise.all(
      ["", "/ephemeralcontainers", "/resize"].map((part) =>
        client.call("GET", `${pods.path}/read${part}`),
      ),
    );
    expect(answers.map(({ body: { kind, metadata } }) => [kind, metadata])).toEqual(
      answers.map(() => ["Pod", answers[0]?.body["metadata"]]),
    );
  });

  test("of one that is not there is not found, and has a Status", async () => {
    const body = { metadata: { name: "none" }, ...added };
    const { code, body: status } = await client.call(
      "PUT",
      `${pods.path}/none/ephemeralcontainers`,
      { body },
    );
    expect([code, status["message"]]).toEqual([404, 'pods "none" not found']);
  });
});

describe("a part of a pod over NATS", () => {
  let gateway: MemoryGateway;
  beforeAll(async () => {
    gateway = await openMemoryGateway();
  });
  afterAll(async () => gateway?.[Symbol.asyncDispose]());

  test("is written as over HTTPS", async () => {
    await using transport = overNats(gateway.bus);
    const over = clientOver(transport);
    await over.of(namespace).create({ metadata: { name: "default" } });
    await over
      .of(pod)
      .in("default")
      .create({ metadata: { name: "web" }, ...sized("1", web) });
    const write = async (part: string, body: object) => {
      await over.request({
        method: "PATCH",
        path: `${pods.path}/web/${part}`,
        headers: { "content-type": "application/strategic-merge-patch+json" },
        body: JSON.stringify(body),
      });
      return over.of(pod).in("default").get("web");
    };
    expect(await write("ephemeralcontainers", asKubectl)).toMatchObject(added);
    expect(await write("resize", sized("2"))).toMatchObject(sized("2"));
  });
});
