/** Requests whose path, query, method or credentials are wrong. */
import { afterAll, describe, expect, test } from "vitest";
import { named, refusals } from "../../../test/refusals.ts";

const { ask, expectRefusals } = refusals(afterAll);

describe("requests that make no sense", () => {
  expectRefusals([
    [
      "no such path",
      "GET /api/v1/nonsense",
      {},
      "404 NotFound",
      "could not find the requested resource",
    ],
    ["a path with a broken escape", "GET /api/v1/namespaces/%zz/pods", {}, "404 NotFound"],
    [
      "no such object",
      "GET configmaps/nothing",
      {},
      "404 NotFound",
      'configmaps "nothing" not found',
      '"kind":"configmaps"',
    ],
    ["a name of NUL", `GET configmaps/%00`, {}, "404 NotFound"],
    [
      "no such namespace",
      "POST /api/v1/namespaces/nowhere/configmaps",
      { body: named("bad") },
      "404 NotFound",
      'namespaces "nowhere" not found',
    ],
    [
      "a method that the path does not have",
      "PUT configmaps",
      { body: {} },
      "405 MethodNotAllowed",
      "does not allow this method",
    ],
    ["a method that nothing has", `OPTIONS configmaps`, {}, "405 MethodNotAllowed"],
    ["no valid token", `GET configmaps`, { token: "wrong" }, "401 Unauthorized", "Unauthorized"],
    ["an empty token", `GET configmaps`, { token: "" }, "401 Unauthorized"],
    [
      "what is there already",
      "POST configmaps",
      { body: named("there") },
      "409 AlreadyExists",
      'configmaps "there" already exists',
      '"name":"there"',
    ],
    [
      "a stale resourceVersion",
      "PUT configmaps/there",
      { body: { metadata: { name: "there", resourceVersion: "1" } } },
      "409 Conflict",
      "the object has been modified",
    ],
    [
      "another uid",
      "PUT configmaps/there",
      { body: { metadata: { name: "there", uid: "x" } } },
      "409 Conflict",
      "UID in precondition",
    ],
    [
      "a namespace other than the path's",
      "POST configmaps",
      { body: { metadata: { name: "bad", namespace: "other" } } },
      "400 BadRequest",
      "the namespace of the provided object does not match",
    ],
    [
      "a name other than the path's",
      "PUT configmaps/there",
      { body: named("other") },
      "400 BadRequest",
      "the name of the provided object does not match",
    ],
    [
      "another kind",
      "POST configmaps",
      { body: { kind: "Secret", apiVersion: "v1", ...named("bad") } },
      "400 BadRequest",
      "must be of type ConfigMap in v1",
    ],
    [
      "a kind that is a list",
      "POST configmaps",
      { body: { kind: [], ...named("bad") } },
      "400 BadRequest",
      "must be of type ConfigMap in v1",
    ],
    [
      "a limit that is no number",
      `GET configmaps?limit=many`,
      {},
      "400 BadRequest",
      "invalid syntax",
    ],
    [
      "a continue that is none",
      "GET configmaps?continue=nonsense",
      {},
      "400 BadRequest",
      "continue key is not valid",
    ],
    [
      "a continue of JSON that is none of ours",
      "GET configmaps?continue=bnVsbA",
      {},
      "400 BadRequest",
      "continue key is not valid",
    ],
    [
      "a resourceVersion that is none",
      "GET configmaps?resourceVersion=x",
      {},
      "400 BadRequest",
      "resourceVersion",
    ],
    [
      "a field that cannot be selected by",
      "GET configmaps?fieldSelector=data.a%3D1",
      {},
      "400 BadRequest",
      '"data.a" is not a known field selector',
    ],
    [
      "a field selector that is none",
      "GET configmaps?fieldSelector=x",
      {},
      "400 BadRequest",
      "invalid selector: 'x'; can't understand 'x'",
    ],
    [
      "a label selector that is none",
      "GET configmaps?labelSelector=a%20in%20(b",
      {},
      "400 BadRequest",
      "unable to parse requirement",
    ],
    [
      "a label selector with a bad value",
      "GET configmaps?labelSelector=a%3D-",
      {},
      "400 BadRequest",
      "unable to parse requirement",
    ],
    [
      "a dry run of some",
      "POST configmaps?dryRun=Some",
      { body: named("bad") },
      "422 Invalid",
      "dryRun",
    ],
    [
      "a binding to nothing",
      "POST pods/some/binding",
      { body: { target: {} } },
      "422 Invalid",
      "target.name: Required value",
    ],
    [
      "a review of a wrong type",
      "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      { body: { spec: "all" } },
      "400 BadRequest",
      "spec: must be an object",
    ],
  ]);

  test("a label of what objects inherit selects nothing", async () => {
    const { body } = await ask(`GET configmaps?labelSelector=constructor`);
    expect(body["items"]).toEqual([]);
  });
});
