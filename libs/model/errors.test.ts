import { describe, expect, test } from "vitest";
import { ApiError, fieldOf, invalid, parse, parseStatus } from "./errors.ts";
import { deployment } from "./kinds/deployment.ts";
import { pod } from "./kinds/pod.ts";
import { secret } from "./kinds/secret.ts";
import type { Kind } from "./kind.ts";

/** What `parse` throws. */
function refusal(kind: Kind, input: unknown): ApiError | undefined {
  try {
    parse(kind, input);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  return undefined;
}

/** What `parse` refuses, as `field: message`. */
const refusals = (kind: Kind, input: unknown): readonly string[] =>
  (refusal(kind, input)?.details.causes ?? []).map(({ field, message }) => `${field}: ${message}`);

const container = { name: "web", image: "web:v1" };
const aPod = (spec: object) => ({ metadata: { name: "web" }, spec });

describe("a refusal", () => {
  test("names the object and every field at fault, in Kubernetes' Status", () => {
    const input = {
      metadata: { name: "web" },
      spec: {
        replicas: -1,
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web" }] } },
        strategy: { type: "Rolling" },
      },
    };
    const status = refusal(deployment, input)?.toStatus();
    expect(status).toMatchObject({
      kind: "Status",
      code: 422,
      reason: "Invalid",
      details: { name: "web", group: "apps", kind: "Deployment" },
    });
    expect(status?.message).toMatch(/^Deployment\.apps "web" is invalid: \[/);
    expect(status?.details.causes).toEqual(
      expect.arrayContaining([
        {
          reason: "FieldValueInvalid",
          field: "spec.replicas",
          message: "Invalid value: -1: must be greater than or equal to 0",
        },
        {
          reason: "FieldValueRequired",
          field: "spec.template.spec.containers[0].image",
          message: "Required value",
        },
        {
          reason: "FieldValueNotSupported",
          field: "spec.strategy.type",
          message: 'Unsupported value: "Rolling": supported values: "RollingUpdate", "Recreate"',
        },
      ]),
    );
  });

  test.each([
    [
      "an unknown field",
      { containers: [{ ...container, imag: "x" }] },
      'spec.containers[0].imag: unknown field "spec.containers[0].imag"',
    ],
    [
      "a wrong type",
      { containers: [container], hostNetwork: "yes" },
      "spec.hostNetwork: Invalid type: must be boolean",
    ],
    ["no containers", { containers: [] }, "spec.containers: Required value"],
    [
      "a value of a wrong form",
      { containers: [container], volumes: [{ name: "v", projected: { defaultMode: 0o1000 } }] },
      "spec.volumes[0].projected.defaultMode: Invalid value: 512: must be less than or equal to 511",
    ],
    [
      "a rule broken",
      {
        containers: [
          {
            ...container,
            workingDir: "/",
            volumeMounts: [{ name: "v", mountPath: "/v", subPath: "../x" }],
          },
        ],
        volumes: [{ name: "v" }],
      },
      "spec.containers[0].volumeMounts[0].subPath: Invalid value: must be a relative path without '..'",
    ],
    ["no spec", undefined, "spec: Required value"],
  ])("tells of %s", (_name, spec, expected) => {
    expect(refusals(pod, spec === undefined ? { metadata: { name: "web" } } : aPod(spec))).toEqual([
      expected,
    ]);
  });

  test("never quotes what a Secret holds", () => {
    const input = {
      metadata: { name: "s" },
      data: { key: "not base64: hunter2" },
      stringData: { b: 5 },
    };
    const said = refusals(secret, input);
    expect(said).toHaveLength(2);
    expect(said.join()).not.toContain("hunter2");
  });

  test("of one cause needs no brackets", () => {
    const cause = { reason: "FieldValueRequired", field: "spec.x", message: "Required value" };
    expect(invalid(pod, "web", [cause]).message).toBe(
      'Pod "web" is invalid: spec.x: Required value',
    );
  });
});

describe("parse", () => {
  test("reads null as absent", () => {
    const input = { ...aPod({ containers: [container], nodeSelector: null }), status: null };
    const parsed = parse(pod, { ...input, metadata: { name: "web", creationTimestamp: null } });
    expect(parsed.metadata).not.toHaveProperty("creationTimestamp");
    expect(parsed.spec).not.toHaveProperty("nodeSelector");
  });

  test("reads empty as absent where it cannot be meant", () => {
    const spec = {
      restartPolicy: "",
      dnsPolicy: "",
      containers: [
        {
          ...container,
          imagePullPolicy: "",
          env: [{ name: "EMPTY", value: "" }],
          livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 0 },
        },
      ],
    };
    const parsed = parse(pod, aPod(spec)).spec;
    expect(parsed).toMatchObject({ restartPolicy: "Always", dnsPolicy: "ClusterFirst" });
    expect(parsed.containers[0]).toMatchObject({
      imagePullPolicy: "IfNotPresent",
      env: [{ name: "EMPTY", value: "" }],
      livenessProbe: { periodSeconds: 10 },
    });
  });

  test("still refuses an empty quantity, an empty name, and port 0", () => {
    const spec = {
      containers: [
        { name: "", image: "x", ports: [{ containerPort: 0 }], resources: { limits: { cpu: "" } } },
      ],
    };
    const fields = refusals(pod, aPod(spec)).map((text) => text.split(": ")[0]);
    expect(fields).toContain("spec.containers[0].name");
    expect(fields).toContain("spec.containers[0].ports[0].containerPort");
    expect(fields).toContain("spec.containers[0].resources.limits.cpu");
  });

  test("gives back what it gave", () => {
    const parsed = parse(pod, aPod({ containers: [container] }));
    expect(parse(pod, parsed)).toEqual(parsed);
  });

  test("leaves its input alone", () => {
    const input = Object.freeze(
      aPod(Object.freeze({ containers: Object.freeze([Object.freeze(container)]) })),
    );
    expect(() => parse(pod, input)).not.toThrow();
  });
});

test("a field's path is written as in Kubernetes", () => {
  expect(fieldOf(["spec", "containers", 0, "name"])).toBe("spec.containers[0].name");
  expect(fieldOf(["metadata", "labels", "a/b"])).toBe("metadata.labels[a/b]");
});

describe("a status alone", () => {
  const status = { phase: "Running", startTime: "2026-01-01T00:00:00Z" };

  test("is read as with the rest of its object", () => {
    const whole = parse(pod, { ...aPod({ containers: [container] }), status });
    expect(parseStatus(pod, "web", status)).toEqual(whole.status);
  });

  test("is refused as with the rest of its object", () => {
    const wrong = { ...status, phase: "Walking" };
    const whole = refusal(pod, { ...aPod({ containers: [container] }), status: wrong });
    expect(whole).toBeDefined();
    expect(() => parseStatus(pod, "web", wrong)).toThrow(whole);
  });
});
