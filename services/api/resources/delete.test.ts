/** Deletions as Kubernetes' API reference has them, one by one. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mergePatch } from "../../../test/refusals.ts";
import { type Exchange, scenarios } from "../../../test/scenarios.ts";

const { ask, expectAll } = scenarios(beforeAll, afterAll);

const made = (metadata: object = {}): Exchange => [
  "POST configmaps",
  { body: { metadata: { name: "$", ...metadata } } },
  201,
];
const held = made({ finalizers: ["example.com/hold"] });
const gone: Exchange = ["GET configmaps/$", {}, 404];
const success = { kind: "Status", apiVersion: "v1", status: "Success" };
const failure = { kind: "Status", status: "Failure" };
const pod = (more: object = {}): Exchange => [
  "POST pods",
  {
    body: {
      metadata: { name: "$" },
      spec: { nodeName: "n1", containers: [{ name: "a", image: "b" }], ...more },
    },
  },
  201,
];
const ends = (seconds: number) => ({
  kind: "Pod",
  metadata: { deletionGracePeriodSeconds: seconds },
});
const del = (body: object) => ({ body });

describe("a deletion", () => {
  expectAll([
    [
      "is answered with a Status",
      made(),
      [
        "DELETE configmaps/$",
        {},
        200,
        { ...success, details: { name: "$", kind: "configmaps", uid: "$uid" } },
      ],
      gone,
    ],
    [
      "names the group",
      ["POST leases", { body: { metadata: { name: "$" } } }, 201],
      [
        "DELETE leases/$",
        {},
        200,
        { ...success, details: { name: "$", group: "coordination.k8s.io", kind: "leases" } },
      ],
    ],
    [
      "of what is not there is 404",
      [
        "DELETE configmaps/$",
        {},
        404,
        {
          ...failure,
          reason: "NotFound",
          message: 'configmaps "$" not found',
          details: { name: "$", kind: "configmaps" },
        },
      ],
    ],
    [
      "that finalizers hold is answered with the object",
      held,
      [
        "DELETE configmaps/$",
        {},
        200,
        {
          kind: "ConfigMap",
          metadata: { name: "$", deletionGracePeriodSeconds: 0, finalizers: ["example.com/hold"] },
        },
      ],
      ["GET configmaps/$", {}, 200],
      ["PATCH configmaps/$", mergePatch({ metadata: { finalizers: null } }), 200],
      gone,
    ],
    [
      "repeated while it is held changes nothing",
      held,
      ["DELETE configmaps/$", {}, 200],
      ["DELETE configmaps/$", {}, 200, { metadata: { resourceVersion: "$rv" } }],
    ],
    [
      "of a pod on a node gives it its own grace",
      pod({ terminationGracePeriodSeconds: 7 }),
      ["DELETE pods/$", {}, 200, ends(7)],
      ["GET pods/$", {}, 200, ends(7)],
    ],
    [
      "gives the grace that is asked for",
      pod(),
      ["DELETE pods/$?gracePeriodSeconds=9", {}, 200, ends(9)],
    ],
    [
      "gives the grace that the body asks for",
      pod(),
      ["DELETE pods/$", del({ gracePeriodSeconds: 11 }), 200, ends(11)],
    ],
    [
      "heeds its body, not its query, where it has one",
      pod(),
      ["DELETE pods/$?gracePeriodSeconds=9", del({ gracePeriodSeconds: 12 }), 200, ends(12)],
    ],
    [
      "with a negative grace gives a second",
      pod(),
      ["DELETE pods/$", del({ gracePeriodSeconds: -5 }), 200, ends(1)],
    ],
    [
      "with grace 0 ends a pod at once, and shows it",
      pod(),
      [
        "DELETE pods/$",
        del({ gracePeriodSeconds: 0 }),
        200,
        { kind: "Pod", metadata: { name: "$" } },
      ],
      ["GET pods/$", {}, 404],
    ],
    [
      "of a pod on no node ends it at once",
      pod({ nodeName: "" }),
      ["DELETE pods/$", {}, 200, { kind: "Pod" }],
      ["GET pods/$", {}, 404],
    ],
    [
      "while it ends can shorten the grace",
      pod(),
      ["DELETE pods/$", {}, 200, ends(30)],
      ["DELETE pods/$?gracePeriodSeconds=5", {}, 200, ends(5)],
    ],
    [
      "while it ends cannot lengthen the grace",
      pod(),
      ["DELETE pods/$?gracePeriodSeconds=5", {}, 200, ends(5)],
      [
        "DELETE pods/$?gracePeriodSeconds=50",
        {},
        200,
        { metadata: { deletionGracePeriodSeconds: 5, resourceVersion: "$rv" } },
      ],
    ],
    [
      "while it ends, without a grace, changes nothing",
      pod(),
      ["DELETE pods/$?gracePeriodSeconds=5", {}, 200, ends(5)],
      [
        "DELETE pods/$",
        {},
        200,
        { metadata: { deletionGracePeriodSeconds: 5, resourceVersion: "$rv" } },
      ],
    ],
    [
      "while it ends, with grace 0, ends it",
      pod(),
      ["DELETE pods/$", {}, 200, ends(30)],
      ["DELETE pods/$?gracePeriodSeconds=0", {}, 200],
      ["GET pods/$", {}, 404],
    ],
    [
      "of the object with that uid",
      made(),
      ["DELETE configmaps/$", del({ preconditions: { uid: "$uid" } }), 200, success],
      gone,
    ],
    [
      "of another uid is 409",
      made(),
      [
        "DELETE configmaps/$",
        del({ preconditions: { uid: "other" } }),
        409,
        {
          ...failure,
          reason: "Conflict",
          message:
            '~Operation cannot be fulfilled on ConfigMap "$": the UID in the precondition (other) does not match the UID in record ($uid). The object might have been deleted and then recreated',
        },
      ],
    ],
    [
      "at that revision",
      made(),
      ["DELETE configmaps/$", del({ preconditions: { resourceVersion: "$rv" } }), 200, success],
      gone,
    ],
    [
      "at another revision is 409",
      made(),
      [
        "DELETE configmaps/$",
        del({ preconditions: { resourceVersion: "1" } }),
        409,
        {
          reason: "Conflict",
          message:
            "~the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ($rv). The object might have been modified",
        },
      ],
    ],
    [
      "in the foreground waits for dependents",
      made(),
      [
        "DELETE configmaps/$?propagationPolicy=Foreground",
        {},
        200,
        { kind: "ConfigMap", metadata: { finalizers: ["foregroundDeletion"] } },
      ],
    ],
    [
      "that orphans says so",
      made(),
      [
        "DELETE configmaps/$",
        del({ propagationPolicy: "Orphan" }),
        200,
        { metadata: { finalizers: ["orphan"] } },
      ],
    ],
    [
      "with the deprecated orphanDependents=true orphans",
      made(),
      [
        "DELETE configmaps/$?orphanDependents=true",
        {},
        200,
        { metadata: { finalizers: ["orphan"] } },
      ],
    ],
    [
      "with orphanDependents=false does not, and is 202 where it is not over",
      held,
      [
        "DELETE configmaps/$",
        del({ orphanDependents: false }),
        202,
        { kind: "ConfigMap", metadata: { finalizers: ["example.com/hold"] } },
      ],
    ],
    [
      "in the background, after one in the foreground, waits no more",
      made(),
      ["DELETE configmaps/$?propagationPolicy=Foreground", {}, 200],
      ["DELETE configmaps/$?propagationPolicy=Background", {}, 200, success],
      gone,
    ],
    [
      "that changes its mind keeps other finalizers",
      held,
      [
        "DELETE configmaps/$?propagationPolicy=Foreground",
        {},
        200,
        { metadata: { finalizers: ["example.com/hold", "foregroundDeletion"] } },
      ],
      [
        "DELETE configmaps/$?propagationPolicy=Orphan",
        {},
        200,
        { metadata: { finalizers: ["example.com/hold", "orphan"] } },
      ],
    ],
    [
      "with both is 422",
      made(),
      [
        "DELETE configmaps/$",
        del({ propagationPolicy: "Orphan", orphanDependents: true }),
        422,
        {
          reason: "Invalid",
          message:
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
        },
      ],
      ["GET configmaps/$", {}, 200],
    ],
    [
      "with a policy that there is not is 422",
      made(),
      [
        "DELETE configmaps/$?propagationPolicy=Sideways",
        {},
        422,
        {
          message:
            '~propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
        },
      ],
    ],
    [
      "with a grace that is none is 400",
      made(),
      [
        "DELETE configmaps/$?gracePeriodSeconds=soon",
        {},
        400,
        { message: 'strconv.ParseInt: parsing "soon": invalid syntax' },
      ],
    ],
    [
      "with a body that is none is 400",
      made(),
      ["DELETE configmaps/$", { bytes: "{" }, 400, failure],
    ],
    [
      "with a body that is a list is 400",
      made(),
      ["DELETE configmaps/$", { bytes: "[]" }, 400, failure],
    ],
    [
      "with another dry run is 422",
      made(),
      [
        "DELETE configmaps/$",
        del({ dryRun: ["Some"] }),
        422,
        { message: '~dryRun: Unsupported value: []string{"Some"}: supported values: "All"' },
      ],
    ],
    [
      "as a dry run leaves it",
      made(),
      ["DELETE configmaps/$", del({ dryRun: ["All"] }), 200, success],
      ["GET configmaps/$", {}, 200, { metadata: { resourceVersion: "$rv" } }],
    ],
    [
      "of a pod raises no generation twice",
      held,
      ["DELETE configmaps/$", {}, 200],
      ["GET configmaps/$", {}, 200],
    ],
    [
      "of a namespace marks it, and what is in it stays to be removed",
      ["POST namespaces", { body: { metadata: { name: "$" } } }, 201],
      ["POST /api/v1/namespaces/$/configmaps", { body: { metadata: { name: "in" } } }, 201],
      ["DELETE namespaces/$", {}, 200, { kind: "Namespace", status: { phase: "Terminating" } }],
      [
        "POST /api/v1/namespaces/$/configmaps",
        { body: { metadata: { name: "late" } } },
        403,
        {
          reason: "Forbidden",
          message: "~unable to create new content in namespace $ because it is being terminated",
        },
      ],
      ["DELETE namespaces/$", {}, 200, { kind: "Namespace" }],
    ],
    [
      "is followed by a creation, with another uid",
      made(),
      ["DELETE configmaps/$", {}, 200],
      made(),
      ["DELETE configmaps/$", del({ preconditions: { uid: "$uid" } }), 200],
    ],
    [
      "that is not over refuses a creation",
      held,
      ["DELETE configmaps/$", {}, 200],
      [
        "POST configmaps",
        { body: { metadata: { name: "$" } } },
        409,
        {
          reason: "AlreadyExists",
          message: '~object is being deleted: configmaps "$" already exists',
        },
      ],
    ],
  ]);
});

describe("a deletion of a collection", () => {
  const secrets = "/api/v1/namespaces/default/secrets";
  const makeAll = async (names: readonly string[], labels: object) => {
    for (const name of names) await ask("POST secrets", { body: { metadata: { name, labels } } });
  };
  const left = async () =>
    ((await ask(`GET ${secrets}`)).body["items"] as { metadata: { name: string } }[]).map(
      ({ metadata }) => metadata.name,
    );

  test("deletes what is selected, and lists it", async () => {
    await makeAll(["s1", "s2"], { go: "yes" });
    await makeAll(["s3"], {});
    const answer = await ask(`DELETE ${secrets}?labelSelector=go%3Dyes`);
    expect(answer).toMatchObject({ code: 200, body: { kind: "SecretList" } });
    expect(answer.body["items"]).toHaveLength(2);
    expect(await left()).toEqual(["s3"]);
    await ask(`DELETE ${secrets}?fieldSelector=metadata.name%3Ds3`);
    expect(await left()).toEqual([]);
  });

  test("deletes as many as its limit says, in order", async () => {
    await makeAll(["l1", "l2", "l3"], {});
    expect((await ask(`DELETE ${secrets}?limit=2`)).body["items"]).toHaveLength(2);
    expect(await left()).toEqual(["l3"]);
  });

  test("leaves all in a dry run, or when its options are refused", async () => {
    await makeAll(["d1", "d2"], {});
    const before = await left();
    expect((await ask(`DELETE ${secrets}?dryRun=All`)).code).toBe(200);
    expect((await ask(`DELETE ${secrets}?propagationPolicy=Sideways`)).code).toBe(422);
    expect((await ask(`DELETE ${secrets}?resourceVersionMatch=Exact`)).code).toBe(422);
    expect((await ask(`DELETE ${secrets}?labelSelector=a%20b`)).code).toBe(400);
    expect(await left()).toEqual(before);
  });
});
