/** Whatever a client sends, it is the client's fault: never a 5xx, and the next one is served. */
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import {
  aPod,
  container,
  jsonPatch,
  mergePatch,
  named,
  refusals,
  spec,
  strategicPatch,
  web,
} from "../../test/refusals.ts";
import type { Sent } from "../../test/https-client.ts";

const { ask, gateway } = refusals(afterAll);

const runs = { numRuns: 150, endOnFailure: true };
/** Some of which a prototype has, or a decoder minds. */
const keys = fc.oneof(
  fc.constantFrom("metadata", "name", "labels", "spec", "$patch", "$retainKeys"),
  fc.constantFrom("__proto__", "constructor", "toString", "$setElementOrder/containers", ""),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const leaves = fc.oneof(
  fc.constantFrom(
    null,
    true,
    "",
    "web",
    "-",
    "\0",
    "\ud800",
    "é".repeat(300),
    "1e400",
    "9".repeat(40),
  ),
  fc.constantFrom(0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308),
);
const { anyJson } = fc.letrec((tie) => ({
  anyJson: fc.oneof(
    { maxDepth: 6, depthSize: "small" },
    leaves,
    fc.array(tie("anyJson"), { maxLength: 4 }),
    fc.dictionary(keys, tie("anyJson"), { maxKeys: 5 }),
  ),
}));

const probe = { httpGet: { path: "/", port: "http" }, periodSeconds: 1 };
const full = {
  ...container,
  ports: [{ name: "http", containerPort: 80 }],
  env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
  envFrom: [{ configMapRef: { name: "c" } }],
  resources: { limits: { cpu: "500m", memory: "64Mi" } },
  readinessProbe: probe,
  volumeMounts: [{ name: "v", mountPath: "/v" }],
};
const volumes = [{ name: "v", projected: { sources: [{ secret: { name: "s" } }] } }];
/** Valid, and with something in most places. */
const manifests = fc.constantFrom(
  ["pods", { ...aPod({}), spec: { containers: [full], volumes, tolerations: [{ key: "a" }] } }],
  ["deployments", { ...web, spec: { ...spec, strategy: { rollingUpdate: { maxSurge: "10%" } } } }],
  [
    "services",
    {
      ...named("s"),
      spec: { type: "NodePort", selector: { a: "b" }, ports: [{ port: 80, targetPort: "http" }] },
    },
  ],
  ["secrets", { ...named("s"), type: "Opaque", data: { a: "aGVsbG8=" }, stringData: { b: "c" } }],
) as fc.Arbitrary<readonly [string, object]>;

/** Another value somewhere in a manifest: the place is the nth of all its places. */
const mutated = fc
  .tuple(manifests, fc.nat({ max: 200 }), anyJson)
  .map(([[place, body], nth, value]) => {
    const copy = structuredClone(body) as Record<string, unknown>;
    const places = placesIn(copy);
    const [holder, key] = places[nth % places.length] ?? [copy, "spec"];
    holder[key] = value;
    return [place, copy] as const;
  });

type Holder = Record<string, unknown>;
function placesIn(value: Holder): readonly (readonly [Holder, string])[] {
  return Object.entries(value).flatMap(([key, member]) => {
    const here = [[value, key] as const];
    return typeof member === "object" && member !== null
      ? [...here, ...placesIn(member as Holder)] // A list is held by its indexes.
      : here;
  });
}

async function expectNoFault(request: string, sent: Sent): Promise<void> {
  const { code, body } = await ask(request, sent);
  expect(code).toBeLessThan(500);
  if (code >= 400) expect(body).toMatchObject({ kind: "Status", code });
}

const validations = fc.constantFrom("Strict", "Warn", "Ignore");

test("a manifest that was changed anywhere", async () => {
  const property = fc.asyncProperty(mutated, validations, async ([place, body], validation) => {
    await expectNoFault(`POST ${place}?dryRun=All&fieldValidation=${validation}`, { body });
    const bytes = JSON.stringify(body);
    await expectNoFault(`POST ${place}`, { bytes, contentType: "application/yaml" });
  });
  await fc.assert(property, runs);
});

test("any JSON as an object, as a patch and as options", async () => {
  const property = fc.asyncProperty(anyJson, async (value) => {
    const body = value as object; // Whatever it is, it is sent.
    await expectNoFault("POST deployments", { body });
    await expectNoFault("PUT deployments/web", { body });
    await expectNoFault("PUT deployments/web/scale", { body });
    await expectNoFault("PUT deployments/web/status", { body });
    for (const part of ["", "/status", "/scale"]) {
      await expectNoFault(`PATCH deployments/web${part}`, mergePatch(body));
      await expectNoFault(`PATCH deployments/web${part}`, strategicPatch(body));
    }
    await expectNoFault("DELETE configmaps/missing", { body });
    await expectNoFault("POST pods/missing/eviction", { body });
  });
  await fc.assert(property, { ...runs, numRuns: 60 });
});

test("a patch of any part of an object", async () => {
  const steps = fc.array(
    fc.oneof(keys, fc.constantFrom("0", "-", "containers", "template", "replicas")),
    { maxLength: 6 },
  );
  const pointer = steps.map((all) =>
    all.map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""),
  );
  const operation = fc.record({
    op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
    path: pointer,
    from: pointer,
    value: anyJson,
  });
  const property = fc.asyncProperty(
    fc.array(operation, { maxLength: 4 }),
    mutated,
    async (operations, [, body]) => {
      await expectNoFault("PATCH deployments/web", jsonPatch(...operations));
      await expectNoFault("PATCH deployments/web", strategicPatch(body));
    },
  );
  await fc.assert(property, runs);
});

test("any bytes in any language, whole or cut", async () => {
  const types = ["json", "yaml", "vnd.kubernetes.protobuf", "merge-patch+json", "cbor"];
  const head = fc.constantFrom(
    "",
    "k8s\0",
    "k8s\0\n\x0f\n\x02v1\x12\x09ConfigMap\x12",
    '{"metadata":{"name":"',
    "a: &a\n- ",
  );
  const tail = fc.uint8Array({ maxLength: 200 });
  const property = fc.asyncProperty(
    head,
    tail,
    fc.constantFrom(...types),
    async (first, rest, type) => {
      const bytes = Buffer.concat([Buffer.from(first, "latin1"), rest]);
      const contentType = `application/${type}`;
      await expectNoFault("POST configmaps", { bytes, contentType });
      await expectNoFault("PATCH configmaps/there", { bytes, contentType });
      const { bus } = await gateway();
      for (const verb of ["apply", "get", "list", "delete"]) {
        const reply = await bus.request(`berth.api.${verb}`, bytes, { timeoutMs: 20_000 });
        expect(new TextDecoder().decode(reply)).not.toContain('"code":500');
      }
    },
  );
  await fc.assert(property, runs);
});

test("any query, and afterwards the gateway serves as before", async () => {
  const names = [
    "limit",
    "continue",
    "labelSelector",
    "fieldSelector",
    "resourceVersion",
    "watch",
    "dryRun",
    "pretty",
    "timeoutSeconds",
    "resourceVersionMatch",
  ];
  const values = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom("1", "0", "-1", "true", "a=b", "a in (b)", "metadata.name=x"),
  );
  const property = fc.asyncProperty(
    fc.dictionary(fc.constantFrom(...names), values, { maxKeys: 4 }),
    async (query) => {
      // A watch ends by itself only when it is told when.
      const text = new URLSearchParams({ ...query, watch: "false" }).toString();
      await expectNoFault(`GET configmaps?${text}`, {});
    },
  );
  await fc.assert(property, runs);
  expect((await ask("GET deployments/web")).body).toMatchObject({ metadata: { name: "web" } });
  expect((await ask("GET /livez")).text).toBe("ok");
});
