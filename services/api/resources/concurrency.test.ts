/** Who may write over whom, as Kubernetes has it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jsonPatch, mergePatch, spec, strategicPatch } from "../../../test/refusals.ts";
import { type Exchange, scenarios } from "../../../test/scenarios.ts";

const { ask, expectAll, gateway } = scenarios(beforeAll, afterAll);

const made: Exchange = [
  "POST configmaps",
  { body: { metadata: { name: "$" }, data: { a: "1" } } },
  201,
];
const put = (metadata: object, data: object = { a: "2" }) => ({
  body: { metadata: { name: "$", ...metadata }, data },
});
const deployment = { metadata: { name: "$" }, spec };
const modified = {
  reason: "Conflict",
  message:
    'Operation cannot be fulfilled on configmaps "$": the object has been modified; please apply your changes to the latest version and try again',
};

describe("a write", () => {
  expectAll([
    [
      "PUT without a revision is unconditional",
      made,
      ["PUT configmaps/$", put({}), 200, { data: { a: "2" } }],
    ],
    [
      "PUT with revision 0 is unconditional",
      made,
      ["PUT configmaps/$", put({ resourceVersion: "0" }), 200],
    ],
    [
      "PUT at the newest revision",
      made,
      ["PUT configmaps/$", put({ resourceVersion: "$rv" }), 200, { data: { a: "2" } }],
    ],
    [
      "PUT at a stale revision is 409",
      made,
      ["PUT configmaps/$", put({ resourceVersion: "1" }), 409, modified],
      ["GET configmaps/$", {}, 200, { data: { a: "1" } }],
    ],
    ["PUT with its uid", made, ["PUT configmaps/$", put({ uid: "$uid" }), 200]],
    [
      "PUT with another uid is 409",
      made,
      [
        "PUT configmaps/$",
        put({ uid: "other" }),
        409,
        {
          reason: "Conflict",
          message: "~Precondition failed: UID in precondition: other, UID in object meta: $uid",
        },
      ],
    ],
    ["PUT of what is not there is 404", ["PUT configmaps/$", put({}), 404, { reason: "NotFound" }]],
    [
      "PUT of what is there no more is 404",
      made,
      ["DELETE configmaps/$", {}, 200],
      ["PUT configmaps/$", put({ resourceVersion: "$rv" }), 404],
    ],
    [
      "PUT without a revision is 422 for kinds that need one",
      ["POST leases", { body: { metadata: { name: "$" } } }, 201],
      [
        "PUT leases/$",
        { body: { metadata: { name: "$" }, spec: { holderIdentity: "a" } } },
        422,
        {
          reason: "Invalid",
          message:
            'leases.coordination.k8s.io "$" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
        },
      ],
      ["PATCH leases/$", mergePatch({ spec: { holderIdentity: "a" } }), 200],
    ],
    [
      "PUT that changes nothing keeps the revision",
      made,
      ["PUT configmaps/$", put({}, { a: "1" }), 200, { metadata: { resourceVersion: "$rv" } }],
    ],
    [
      "PATCH that changes nothing keeps the revision",
      made,
      [
        "PATCH configmaps/$",
        mergePatch({ data: { a: "1" } }),
        200,
        { metadata: { resourceVersion: "$rv" } },
      ],
    ],
    [
      "PATCH at the newest revision",
      made,
      [
        "PATCH configmaps/$",
        mergePatch({ metadata: { resourceVersion: "$rv" }, data: { b: "2" } }),
        200,
        { data: { a: "1", b: "2" } },
      ],
    ],
    [
      "PATCH at a stale revision is 409",
      made,
      [
        "PATCH configmaps/$",
        mergePatch({ metadata: { resourceVersion: "1" }, data: { b: "2" } }),
        409,
        modified,
      ],
    ],
    [
      "strategic PATCH at a stale revision is 409",
      made,
      ["PATCH configmaps/$", strategicPatch({ metadata: { resourceVersion: "1" } }), 409, modified],
    ],
    [
      "JSON PATCH whose test holds",
      made,
      [
        "PATCH configmaps/$",
        jsonPatch(
          { op: "test", path: "/metadata/resourceVersion", value: "$rv" },
          { op: "add", path: "/data/b", value: "2" },
        ),
        200,
        { data: { b: "2" } },
      ],
    ],
    [
      "JSON PATCH whose test fails is 422, and nothing of it is done",
      made,
      [
        "PATCH configmaps/$",
        jsonPatch(
          { op: "add", path: "/data/b", value: "2" },
          { op: "test", path: "/data/a", value: "9" },
        ),
        422,
        { reason: "Invalid" },
      ],
      ["GET configmaps/$", {}, 200, { metadata: { resourceVersion: "$rv" } }],
    ],
    [
      "PATCH of the name is 400",
      made,
      ["PATCH configmaps/$", mergePatch({ metadata: { name: "other" } }), 400],
    ],
    [
      "PATCH of the uid is 409",
      made,
      [
        "PATCH configmaps/$",
        mergePatch({ metadata: { uid: "other" } }),
        409,
        { reason: "Conflict" },
      ],
    ],
    [
      "the generation rises with the spec only",
      ["POST deployments", { body: deployment }, 201, { metadata: { generation: 1 } }],
      [
        "PATCH deployments/$",
        mergePatch({ metadata: { labels: { a: "b" } } }),
        200,
        { metadata: { generation: 1 } },
      ],
      [
        "PATCH deployments/$",
        mergePatch({ spec: { replicas: 3 } }),
        200,
        { metadata: { generation: 2 } },
      ],
      [
        "PATCH deployments/$/status",
        mergePatch({ status: { observedGeneration: 2 } }),
        200,
        { metadata: { generation: 2 }, status: { observedGeneration: 2 } },
      ],
    ],
    [
      "nobody sets the generation",
      [
        "POST deployments",
        { body: { ...deployment, metadata: { name: "$", generation: 9 } } },
        201,
        { metadata: { generation: 1 } },
      ],
      [
        "PATCH deployments/$",
        mergePatch({ metadata: { generation: 9 } }),
        200,
        { metadata: { generation: 1, resourceVersion: "$rv" } },
      ],
    ],
    [
      "the main resource leaves the status, the status leaves the rest",
      ["POST deployments", { body: { ...deployment, status: { replicas: 5 } } }, 201],
      ["GET deployments/$", {}, 200],
      [
        "PATCH deployments/$/status",
        mergePatch({ spec: { replicas: 7 }, status: { observedGeneration: 1 } }),
        200,
        { spec: { replicas: 1 }, status: { observedGeneration: 1 } },
      ],
      [
        "PATCH deployments/$",
        mergePatch({ status: { observedGeneration: 9 } }),
        200,
        { status: { observedGeneration: 1 }, metadata: { resourceVersion: "$rv" } },
      ],
    ],
    [
      "PUT of a status without a revision is unconditional",
      ["POST deployments", { body: deployment }, 201],
      [
        "PUT deployments/$/status",
        { body: { ...deployment, status: { observedGeneration: 1 } } },
        200,
        { status: { observedGeneration: 1 } },
      ],
    ],
    [
      "PUT of a status at a stale revision is 409",
      ["POST deployments", { body: deployment }, 201],
      [
        "PUT deployments/$/status",
        {
          body: {
            ...deployment,
            metadata: { name: "$", resourceVersion: "1" },
            status: { observedGeneration: 1 },
          },
        },
        409,
        { reason: "Conflict" },
      ],
    ],
    [
      "PUT of a scale at a stale revision is 409",
      ["POST deployments", { body: deployment }, 201],
      [
        "PUT deployments/$/scale",
        { body: { metadata: { name: "$", resourceVersion: "1" }, spec: { replicas: 3 } } },
        409,
        { reason: "Conflict" },
      ],
    ],
    [
      "POST of what is there is 409",
      made,
      [
        "POST configmaps",
        put({}),
        409,
        {
          reason: "AlreadyExists",
          message: 'configmaps "$" already exists',
          details: { name: "$", kind: "configmaps" },
        },
      ],
    ],
    [
      "POST over what was deleted has a new uid",
      made,
      ["DELETE configmaps/$", {}, 200],
      ["POST configmaps", put({}), 201, { data: { a: "2" } }],
    ],
    [
      "POST with a revision is refused",
      [
        "POST configmaps",
        put({ resourceVersion: "5" }),
        400,
        { message: "resourceVersion should not be set on objects to be created" },
      ],
      ["GET configmaps/$", {}, 404],
    ],
    [
      "POST ignores what the cluster sets",
      [
        "POST configmaps",
        put({
          uid: "mine",
          creationTimestamp: "2000-01-01T00:00:00Z",
          deletionTimestamp: "2000-01-01T00:00:00Z",
        }),
        201,
      ],
      ["GET configmaps/$", {}, 200, { metadata: { uid: "~-" } }],
    ],
  ]);

  test("of many patches at once all land", async () => {
    await ask("POST configmaps", { body: { metadata: { name: "busy" } } });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, nth) =>
        ask("PATCH configmaps/busy", mergePatch({ data: { [`k${nth}`]: "v" } })),
      ),
    );
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200]));
    const { data } = (await ask("GET configmaps/busy")).body as { data: object };
    expect(Object.keys(data)).toHaveLength(40);
  });

  test("of many creations at once one wins", async () => {
    const body = { metadata: { name: "raced" } };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask("POST configmaps", { body })),
    );
    const codes = answers.map(({ code }) => code).toSorted((a, b) => a - b);
    expect(codes).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  test("of many PUTs at one revision one wins", async () => {
    const { body } = await ask("POST configmaps", { body: { metadata: { name: "once" } } });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, nth) =>
        ask("PUT configmaps/once", { body: { ...body, data: { a: `${nth}` } } }),
      ),
    );
    expect(answers.filter(({ code }) => code === 200)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 409)).toHaveLength(19);
  });

  test("makes names up, all of them different, and leaves nothing in a dry run", async () => {
    const body = { metadata: { generateName: "gen-" } };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask("POST configmaps", { body })),
    );
    const names = answers.map((answer) => (answer.body["metadata"] as { name: string }).name);
    expect(new Set(names).size).toBe(50);
    for (const name of names) expect(name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const before = await gateway().store.lastRevision();
    const dry = await ask("POST configmaps?dryRun=All", { body });
    expect(dry).toMatchObject({ code: 201, body: { metadata: { generateName: "gen-" } } });
    expect(await gateway().store.lastRevision()).toBe(before);
  });
});
