/** What a namespace's LimitRange allows, as clients are told it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aPod, named, refusals, strategicPatch } from "../../../test/refusals.ts";

const { ask, expectRefusals, gateway } = refusals(afterAll);
const inDefault = "/api/v1/namespaces/default";
const container = {
  type: "Container",
  default: { cpu: "500m" },
  defaultRequest: { cpu: "100m" },
  max: { cpu: "1" },
  min: { cpu: "50m" },
  maxLimitRequestRatio: { cpu: "5" },
};
const claims = { type: "PersistentVolumeClaim", max: { storage: "1Gi" } };
const podOf = (requests: object, limits: object) => ({
  body: aPod({ resources: { requests, limits } }),
});
const claimOf = (storage: string) => ({
  body: {
    ...named("data"),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  },
});

beforeAll(async () => {
  const body = { ...named("limits"), spec: { limits: [container, claims] } };
  expect((await ask(`POST ${inDefault}/limitranges`, { body })).code).toBe(201);
});

describe("limits of a namespace", () => {
  const tooMuch = 'pods "bad" is forbidden: maximum cpu usage per Container is 1, but limit is 2';
  expectRefusals([
    ["too much", "POST pods", podOf({ cpu: "1" }, { cpu: "2" }), "403 Forbidden", tooMuch],
    [
      "too much, in a dry run",
      "POST pods?dryRun=All",
      podOf({ cpu: "1" }, { cpu: "2" }),
      "403 Forbidden",
      tooMuch,
      '"kind":"pods"',
    ],
    [
      "too little",
      "POST pods",
      podOf({ cpu: "10m" }, { cpu: "50m" }),
      "403 Forbidden",
      "minimum cpu usage per Container is 50m, but request is 10m",
    ],
    [
      "too large a ratio",
      "POST pods",
      podOf({ cpu: "100m" }, { cpu: "1" }),
      "403 Forbidden",
      "cpu max limit to request ratio per Container is 5, but provided ratio is 10.000000",
    ],
    [
      "a request above the limit that it is given",
      "POST pods",
      podOf({ cpu: "800m" }, {}),
      "422 Invalid",
      'spec.containers[0].resources.requests: Invalid value: "800m": must be less than or equal to cpu limit of 500m',
    ],
    [
      "a claim of too much",
      `POST ${inDefault}/persistentvolumeclaims`,
      claimOf("2Gi"),
      "403 Forbidden",
      'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
    ],
    [
      "limits that contradict each other",
      `PATCH ${inDefault}/limitranges/limits`,
      strategicPatch({ spec: { limits: [{ ...container, default: { cpu: "2" } }] } }),
      "422 Invalid",
      "spec.limits[0].default.cpu",
      "default value 2 is greater than max value 1",
    ],
  ]);

  test("are filled in where nothing is said, in a dry run too", async () => {
    const body = { ...aPod({}), ...named("filled") };
    for (const query of ["?dryRun=All", ""]) {
      const { code, body: made } = await ask(`POST pods${query}`, { body });
      expect(code).toBe(201);
      expect(made).toMatchObject({
        metadata: {
          annotations: {
            "kubernetes.io/limit-ranger":
              "LimitRanger plugin set: cpu request for container web; cpu limit for container web",
          },
        },
        spec: {
          containers: [{ resources: { requests: { cpu: "100m" }, limits: { cpu: "500m" } } }],
        },
      });
    }
  });

  test("hold for what is asked for over NATS", async () => {
    const { bus } = await gateway();
    const pod = { apiVersion: "v1", kind: "Pod", ...podOf({ cpu: "1" }, { cpu: "2" }).body };
    const sent = new TextEncoder().encode(JSON.stringify(pod));
    const reply = new TextDecoder().decode(await bus.request("berth.api.apply", sent));
    expect(reply).toContain(JSON.stringify(tooMuch).slice(1, -1));
  });

  test("are listed under their short name, and described by what they say", async () => {
    const { body } = await ask("GET /api/v1");
    expect(body["resources"]).toContainEqual(
      expect.objectContaining({ name: "limitranges", kind: "LimitRange", shortNames: ["limits"] }),
    );
    const shown = await ask(`GET ${inDefault}/limitranges/limits`);
    expect(shown.body).toMatchObject({ kind: "LimitRange", spec: { limits: [container, claims] } });
  });
});

describe("a Lease", () => {
  const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
  expectRefusals([
    [
      "that lasts no time",
      `POST ${leases}`,
      { body: { ...named("bad"), spec: { leaseDurationSeconds: 0 } } },
      "422 Invalid",
      'Lease.coordination.k8s.io "bad" is invalid: spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ],
  ]);

  test("is held and renewed, to the microsecond", async () => {
    const spec = { holderIdentity: "me", renewTime: "2026-01-01T00:00:00.000001Z" };
    expect((await ask(`POST ${leases}`, { body: { ...named("held"), spec } })).code).toBe(201);
    const renewTime = "2026-01-01T00:00:10.000002Z";
    const renewed = await ask(`PATCH ${leases}/held`, strategicPatch({ spec: { renewTime } }));
    expect(renewed.body).toMatchObject({ spec: { holderIdentity: "me", renewTime } });
  });
});
