import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allow,
  config,
  configMaps,
  labelled,
  labelsOf,
  patched,
  type Answering,
  type Thing,
  webhooksOf,
} from "../../../test/admission-webhooks.ts";
import { mergePatch, named } from "../../../test/refusals.ts";

const { ask, refused, configured, gateway } = webhooksOf({ beforeAll, afterAll });

describe("a mutating webhook", () => {
  test("changes what is created, and sees it before it has an identity", async () => {
    await using hook = await configured("mutating", "label", { answers: labelled("seen") });
    const { code, body } = await ask("POST configmaps", config("m1"));
    expect(code).toBe(201);
    expect(labelsOf(body)).toEqual({ seen: "yes" });
    const [review] = hook.asked();
    expect(review).toMatchObject({
      kind: "AdmissionReview",
      apiVersion: "admission.k8s.io/v1",
      request: {
        kind: { group: "", version: "v1", kind: "ConfigMap" },
        resource: { group: "", version: "v1", resource: "configmaps" },
        requestKind: { group: "", version: "v1", kind: "ConfigMap" },
        name: "m1",
        namespace: "default",
        operation: "CREATE",
        userInfo: { username: "kubernetes-admin" },
        object: { apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } },
        oldObject: null,
        dryRun: false,
        options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      },
    });
    expect(review?.request.object?.metadata).not.toHaveProperty("uid");
    const kept = await ask("GET configmaps/m1");
    expect(labelsOf(kept.body)).toEqual({ seen: "yes" });
  });

  test("sees the old and the new object of a change, and may undo it", async () => {
    await ask("POST configmaps", config("m2"));
    await using hook = await configured("mutating", "undo", {
      answers: ({ operation, oldObject }) =>
        operation === "UPDATE"
          ? patched({ op: "replace", path: "/data", value: oldObject?.data })
          : { allowed: true },
    });
    const was = await ask("GET configmaps/m2");
    const { body } = await ask("PATCH configmaps/m2", mergePatch({ data: { a: "2" } }));
    expect(hook.asked()[0]?.request).toMatchObject({
      operation: "UPDATE",
      object: { data: { a: "2" } },
      oldObject: { data: { a: "1" }, metadata: { name: "m2" } },
      options: { kind: "UpdateOptions" },
    });
    expect(body).toMatchObject({ data: { a: "1" } });
    expect((body as Thing).metadata["resourceVersion"]).toBe(
      (was.body as Thing).metadata["resourceVersion"],
    );
  });

  test("completes what admission would refuse, with defaults for what it adds", async () => {
    await using _hook = await configured("mutating", "sidecar", {
      rules: [{ ...configMaps, resources: ["pods"] }],
      answers: () =>
        patched(
          { op: "replace", path: "/spec/containers/0/image", value: "web:v2" },
          { op: "add", path: "/spec/containers/-", value: { name: "proxy", image: "proxy:v1" } },
        ),
    });
    const spec = { containers: [{ name: "web", image: "" }] };
    const { code, body } = await ask("POST pods", { body: { ...named("incomplete"), spec } });
    expect(code).toBe(201);
    expect(body).toMatchObject({
      spec: {
        containers: [
          { name: "web", image: "web:v2" },
          { name: "proxy", image: "proxy:v1", terminationMessagePath: "/dev/termination-log" },
        ],
      },
    });
  });

  test("is asked about what is applied, which it makes or changes", async () => {
    await using hook = await configured("mutating", "applied", { answers: labelled("seen") });
    const applied = (data: object) => ({
      body: { apiVersion: "v1", kind: "ConfigMap", ...named("ssa"), data },
      contentType: "application/apply-patch+yaml",
    });
    const path = "PATCH configmaps/ssa?fieldManager=me";
    expect((await ask(path, applied({ a: "1" }))).code).toBe(201);
    const { body } = await ask(path, applied({ a: "2" }));
    expect([body["data"], labelsOf(body)]).toEqual([{ a: "2" }, { seen: "yes" }]);
    const operations = hook.asked().map(({ request }) => request["operation"]);
    expect(operations).toEqual(["CREATE", "UPDATE"]);
    const { managedFields } = (body as Thing).metadata;
    expect(managedFields).toMatchObject([{ manager: "me", operation: "Apply" }]);
  });

  test("is followed by admission: what it makes wrong is refused", async () => {
    await using _hook = await configured("mutating", "wrong", {
      answers: () => patched({ op: "add", path: "/data", value: { "no/key": "1" } }),
    });
    const { code, body } = await refused("POST configmaps", config("m3"));
    expect([code, body["reason"]]).toEqual([422, "Invalid"]);
  });

  test("comes in the order of the configurations' names, each seeing the one before", async () => {
    const seen: unknown[] = [];
    const watching =
      (label: string): Answering =>
      (request) => {
        seen.push([label, Object.keys(request.object?.metadata.labels ?? {})]);
        return labelled(label)(request);
      };
    await using _second = await configured("mutating", "order-b", { answers: watching("b") });
    await using _first = await configured(
      "mutating",
      "order-a",
      { answers: watching("a0") },
      { answers: watching("a1") },
    );
    await ask("POST configmaps", config("m4"));
    expect(seen).toEqual([
      ["a0", []],
      ["a1", ["a0"]],
      ["b", ["a0", "a1"]],
    ]);
  });

  test("is asked again, where it wishes so, when a later one has changed what it saw", async () => {
    const again = { reinvocationPolicy: "IfNeeded", answers: allow };
    await using hook = await configured(
      "mutating",
      "reinvoke",
      again,
      { answers: allow },
      { ...again, answers: labelled("late") },
      again,
    );
    const { body } = await ask("POST configmaps", config("m5"));
    expect(labelsOf(body)).toEqual({ late: "yes" });
    expect([0, 1, 2, 3].map((nth) => hook.asked(nth).length)).toEqual([2, 1, 1, 1]);
    expect(labelsOf({ ...hook.asked()[1]?.request.object })).toEqual({ late: "yes" });
  });

  test("cannot change what a deletion has not", async () => {
    await ask("POST configmaps", config("m6"));
    await using _hook = await configured("mutating", "no-object", {
      answers: () => patched({ op: "add", path: "/metadata/labels", value: {} }),
    });
    const { code, body } = await refused("DELETE configmaps/m6", {});
    expect(code).toBe(500);
    expect(body["message"]).toContain(
      'admission webhook "hook-0.no-object.example.com" attempted to modify the object, which is not supported for this operation',
    );
  });

  test("names an object that is to be named once", async () => {
    await using hook = await configured("mutating", "generate", { answers: labelled("seen") });
    const sent = { body: { metadata: { generateName: "gen-" } } };
    const { body } = await ask("POST configmaps", sent);
    expect((body as Thing).metadata["name"]).toMatch(/^gen-.{5}$/);
    expect(hook.asked()[0]?.request).not.toHaveProperty("name");
    expect(hook.asked()[0]?.request.object?.metadata).not.toHaveProperty("name");
  });
});

describe("a validating webhook", () => {
  test("denies in its own words, with its code and reason", async () => {
    await using _hook = await configured("validating", "deny", {
      answers: () => ({
        allowed: false,
        status: { code: 418, reason: "Teapot", message: "no coffee", details: { kind: "pots" } },
      }),
    });
    const { code, body } = await refused("POST configmaps", config("v1"));
    expect(code).toBe(418);
    expect(body).toMatchObject({
      status: "Failure",
      code: 418,
      reason: "Teapot",
      message: 'admission webhook "hook-0.deny.example.com" denied the request: no coffee',
      details: { kind: "pots" },
    });
  });

  test.each([
    [
      { code: 200 },
      400,
      'admission webhook "hook-0.words.example.com" denied the request without explanation',
    ],
    [
      { reason: "Busy" },
      400,
      'admission webhook "hook-0.words.example.com" denied the request: Busy',
    ],
  ])("denies by %j with %d", async (status, code, message) => {
    await using _hook = await configured("validating", "words", {
      answers: () => ({ allowed: false, status }),
    });
    const { body } = await refused("POST configmaps", config("v2"));
    expect(body).toMatchObject({ code, message });
  });

  test("warns, whether it allows or not, and each warning is told once", async () => {
    const warning = { allowed: true, warnings: ["think again", "think again", "and again"] };
    await using _hook = await configured("validating", "warn", { answers: () => warning });
    const { warnings } = await ask("POST configmaps", config("v3"));
    expect(warnings).toEqual(['299 - "think again"', '299 - "and again"']);
    const deleted = await ask("DELETE configmaps/v3");
    expect(deleted.warnings).toHaveLength(2);
  });

  test("sees what those that mutate have made, with its identity", async () => {
    await using _mutating = await configured("mutating", "before", { answers: labelled("made") });
    await using hook = await configured("validating", "after", { answers: allow });
    const { body } = await ask("POST configmaps", config("v4"));
    const [review] = hook.asked();
    expect(labelsOf({ ...review?.request.object })).toEqual({ made: "yes" });
    expect(review?.request.object?.metadata["uid"]).toBe((body as Thing).metadata["uid"]);
  });

  test("may not change anything", async () => {
    await using _hook = await configured("validating", "patches", { answers: labelled("no") });
    const { code, body } = await refused("POST configmaps", config("v5"));
    expect(code).toBe(500);
    expect(body["message"]).toBe(
      'Internal error occurred: failed calling webhook "hook-0.patches.example.com": received invalid webhook response: validating webhook may not return response.patch',
    );
  });

  test("is asked about deletions, one by one those of a collection too", async () => {
    await ask("POST configmaps", config("d1", { labels: { batch: "d" } }));
    await ask("POST configmaps", config("d2", { labels: { batch: "d" } }));
    await using hook = await configured("validating", "delete", { answers: allow });
    await ask("DELETE configmaps?labelSelector=batch%3Dd&propagationPolicy=Background");
    const requests = hook.asked().map(({ request }) => request);
    expect(new Set(requests.map(({ name }) => name))).toEqual(new Set(["d1", "d2"]));
    expect(requests[0]).toMatchObject({
      operation: "DELETE",
      object: null,
      oldObject: { data: { a: "1" } },
      options: { kind: "DeleteOptions", propagationPolicy: "Background" },
    });
  });

  test("is told of a dry run, which commits nothing", async () => {
    await using hook = await configured("validating", "dry", {
      sideEffects: "NoneOnDryRun",
      answers: allow,
    });
    expect((await refused("POST configmaps?dryRun=All", config("v6"))).code).toBe(201);
    expect(hook.asked()[0]?.request).toMatchObject({ dryRun: true, options: { dryRun: ["All"] } });
  });

  test("has its say until its configuration is gone, and never on configurations", async () => {
    const everything = { ...configMaps, apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] };
    {
      await using hook = await configured("validating", "all", {
        rules: [{ ...everything, operations: ["*"] }],
        answers: () => ({ allowed: false }),
      });
      expect((await refused("POST configmaps", config("v7"))).code).toBe(400);
      expect(hook.asked()).toHaveLength(1);
    }
    expect((await ask("POST configmaps", config("v7"))).code).toBe(201);
  });
});

describe("a race", () => {
  test("with another change while webhooks are asked is decided and asked anew", async () => {
    await ask("POST configmaps", config("race"));
    let meddled = false;
    await using hook = await configured("mutating", "race", {
      objectSelector: { matchLabels: { raced: "yes" } },
      async answers(request) {
        if (!meddled) {
          meddled = true;
          await ask("PATCH configmaps/race", mergePatch({ data: { b: "2" } }));
        }
        return labelled("seen")(request);
      },
    });
    const { body } = await ask(
      "PATCH configmaps/race",
      mergePatch({ metadata: { labels: { raced: "yes" } } }),
    );
    expect(labelsOf(body)).toEqual({ raced: "yes", seen: "yes" });
    expect(body["data"]).toEqual({ a: "1", b: "2" });
    expect(hook.asked().map(({ request }) => request.oldObject?.data)).toEqual([
      { a: "1" },
      { a: "1", b: "2" },
    ]);
  });
});

test("kubectl prints what a webhook warns of and why it denies", async () => {
  await using folder = await temporaryFolder();
  const { server, authority, token } = await gateway();
  const ca = join(folder.path, "ca.crt");
  await writeFile(ca, authority);
  const kubectl = (...words: readonly string[]) => {
    const flags = [`--server=${server}`, `--certificate-authority=${ca}`, `--token=${token}`];
    const env = { PATH: process.env["PATH"], HOME: folder.path, KUBECONFIG: "" };
    return new Promise<string>((resolve) => {
      execFile(kubectlPath, [...flags, ...words], { env }, (_error, stdout, stderr) =>
        resolve(`${stdout}${stderr}`),
      );
    });
  };
  await using _hook = await configured("validating", "kubectl", {
    answers: ({ name }) =>
      name === "bad"
        ? { allowed: false, status: { message: "it is bad" } }
        : { allowed: true, warnings: ["it may be bad"] },
  });
  expect(await kubectl("create", "configmap", "fine")).toBe(
    "configmap/fine created\nWarning: it may be bad\n",
  );
  expect(await kubectl("create", "configmap", "bad")).toMatch(
    /admission webhook "hook-0\.kubectl\.example\.com" denied the request: it is bad\n$/,
  );
});

const kubectlPath = join(import.meta.dirname, "../../../.berth/bin/kubectl");

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "berth-webhooks-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
