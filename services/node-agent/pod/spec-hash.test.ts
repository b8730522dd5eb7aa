import { describe, expect, test } from "vitest";
import { aContainer, aWork } from "./fixtures.ts";
import { hashOf, isOutdated } from "./spec-hash.ts";
import type { Container } from "./spec.ts";

const made = (more: object = {}): Container => {
  const [container] = aWork({ containers: [{ name: "main", image: "web:v1", ...more }] }).spec
    .containers;
  return container ?? expect.unreachable();
};

describe("a container's hash", () => {
  test.each([
    { image: "web:v2" },
    { command: ["run"] },
    { args: ["-v"] },
    { workingDir: "/srv" },
    { env: [{ name: "A", value: "1" }] },
    { envFrom: [{ configMapRef: { name: "settings" } }] },
  ])("changes with %o", (change) => {
    expect(hashOf(made(change))).not.toBe(hashOf(made()));
  });

  test.each([
    { imagePullPolicy: "Always" },
    { terminationMessagePath: "/tmp/end" },
    { env: [] },
    { resources: { limits: { cpu: "1" } } },
  ])("stays under %o", (change) => {
    expect(hashOf(made(change))).toBe(hashOf(made()));
  });

  test("is the same in every version of the agent that says v1", () => {
    const env = [{ name: "A", value: "1" }];
    expect(hashOf(made({ command: ["run"], env }))).toBe("v1-b8199d19d461b890");
  });
});

describe("a container", () => {
  test("is outdated when its manifest has changed", () => {
    const container = aContainer("main", { specHash: hashOf(made()) });
    expect(isOutdated(container, made())).toBe(false);
    expect(isOutdated(container, made({ args: ["-v"] }))).toBe(true);
  });

  test("of an agent that hashed otherwise is outdated by another image only", () => {
    const container = aContainer("main", { specHash: "0123456789abcdef", image: "web:v1" });
    expect(isOutdated(container, made({ args: ["-v"] }))).toBe(false);
    expect(isOutdated(container, made({ image: "web:v2" }))).toBe(true);
  });
});
