/** Classes of pods and of storage, drivers, requests for certificates. */
import { describe, expect, test } from "vitest";
import { causesOf } from "../causes-fixture.ts";
import { parse } from "../errors.ts";
import { shownBy } from "../shown-fixture.ts";
import { certificateSigningRequest } from "./certificatesigningrequest.ts";
import { csiDriver } from "./csidriver.ts";
import { priorityClass } from "./priorityclass.ts";
import { volumeAttachment } from "./volumeattachment.ts";
import { volumeAttributesClass } from "./volumeattributesclass.ts";

describe("a PriorityClass", () => {
  const aClass = (name: string, value: number, rest: object = {}) =>
    parse(priorityClass, { metadata: { name }, value, ...rest });

  test.each([
    [
      "high",
      1_000_000_001,
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ],
    [
      "system-mine",
      1,
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
    ],
    [
      "system-node-critical",
      1,
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
    ],
  ])("%s of %d is refused", (name, value, cause) => {
    expect(causesOf(() => aClass(name, value))).toEqual([cause]);
  });

  test("keeps its value and its policy", () => {
    const one = aClass("high", 10);
    const other = aClass("high", 11, { preemptionPolicy: "Never" });
    expect(priorityClass.validateUpdate(one, other).map(({ field }) => field)).toEqual([
      "value",
      "preemptionPolicy",
    ]);
    expect(shownBy(priorityClass, one)).toMatchObject({
      Value: 10,
      "Global-Default": false,
      PreemptionPolicy: "PreemptLowerPriority",
    });
  });
});

describe("a CertificateSigningRequest", () => {
  const pem = "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n";
  const good = {
    request: Buffer.from(pem).toString("base64"),
    signerName: "example.com/serving",
    usages: ["digital signature"],
  };
  const asked = (change: object) =>
    parse(certificateSigningRequest, { metadata: { name: "csr:a" }, spec: { ...good, ...change } });

  test.each([
    [{ request: "" }, "spec.request: Invalid value: PEM block type must be CERTIFICATE REQUEST"],
    [{ usages: [] }, "spec.usages: Required value"],
    [{ signerName: "" }, "spec.signerName: Required value"],
    [
      { signerName: "serving" },
      'spec.signerName: Invalid value: "serving": must be a fully qualified domain and path of the form "<domain>/<path>"',
    ],
    [
      { expirationSeconds: 60 },
      "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 seconds (10 minutes)",
    ],
  ])("with %j is refused", (change, cause) => {
    expect(causesOf(() => asked(change))).toEqual([cause]);
  });

  test.each([
    [{}, "Pending"],
    [{ conditions: [{ type: "Approved", status: "True" }] }, "Approved"],
    [
      { conditions: [{ type: "Approved", status: "True" }], certificate: "eA==" },
      "Approved,Issued",
    ],
    [
      {
        conditions: [
          { type: "Denied", status: "True" },
          { type: "Failed", status: "True" },
        ],
      },
      "Denied,Failed",
    ],
  ])("of the status %j shows %s", (status, condition) => {
    const one = parse(certificateSigningRequest, {
      ...asked({ expirationSeconds: 3_600 }),
      status,
    });
    expect(shownBy(certificateSigningRequest, one)).toMatchObject({
      SignerName: "example.com/serving",
      RequestedDuration: "60m",
      Condition: condition,
    });
  });
});

describe("storage drivers", () => {
  test("have Kubernetes' defaults", () => {
    const { spec } = parse(csiDriver, { metadata: { name: "disk.example.com" }, spec: {} });
    expect(spec).toMatchObject({
      attachRequired: true,
      fsGroupPolicy: "ReadWriteOnceWithFSType",
      volumeLifecycleModes: ["Persistent"],
    });
  });

  test("show what they ask for", () => {
    const one = parse(csiDriver, {
      metadata: { name: "disk.example.com" },
      spec: { tokenRequests: [{ audience: "a" }, { audience: "b" }] },
    });
    expect(shownBy(csiDriver, one)).toMatchObject({ TokenRequests: "a,b", Modes: "Persistent" });
  });

  test("attach one volume", () => {
    const spec = { attacher: "disk.example.com", nodeName: "n1" };
    const attach = (source: object) =>
      parse(volumeAttachment, { metadata: { name: "a" }, spec: { ...spec, source } });
    expect(attach({ persistentVolumeName: "v" }).spec.source.persistentVolumeName).toBe("v");
    expect(causesOf(() => attach({}))).toEqual([
      "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName",
    ]);
  });

  test("have classes of attributes that stay as they are", () => {
    const aClass = (parameters: object) =>
      parse(volumeAttributesClass, {
        metadata: { name: "fast" },
        driverName: "disk.example.com",
        parameters,
      });
    expect(causesOf(() => aClass({}))).toEqual([
      "parameters: Required value: must contain at least one key/value pair",
    ]);
    const [one, other] = [aClass({ iops: "1" }), aClass({ iops: "2" })];
    expect(volumeAttributesClass.validateUpdate(one, other).map(({ field }) => field)).toEqual([
      "parameters",
    ]);
  });
});
