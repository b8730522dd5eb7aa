import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import { expect, test } from "vitest";

process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true"; // Its image would come from a registry.

/** The demo's server in a container of its own, until disposed. */
async function hello(version: string, environment: Record<string, string> = {}) {
  const container: StartedTestContainer = await new GenericContainer(`berth/hello:${version}`)
    .withEnvironment(environment)
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp("/ready", 8080))
    .start();
  const base = `http://${container.getHost()}:${container.getMappedPort(8080)}`;
  return {
    get: (path: string) => fetch(base + path, { signal: AbortSignal.timeout(10_000) }),
    [Symbol.asyncDispose]: async () => void (await container.stop({ timeout: 0 })),
  };
}

test.each(["v1", "v2"])(
  "the demo's image %s answers its version and its environment",
  async (version) => {
    await using server = await hello(version, { GREETING: "Ahoy" });
    expect(await (await server.get("/")).json()).toMatchObject({
      version,
      env: { GREETING: "Ahoy" },
    });
  },
);

test("readiness and liveness are switched off and on, each by itself", async () => {
  await using server = await hello("v1");
  const statuses = async () => [
    (await server.get("/ready")).status,
    (await server.get("/live")).status,
  ];
  expect(await statuses()).toEqual([200, 200]);
  await server.get("/ready/off");
  expect(await statuses()).toEqual([503, 200]);
  await server.get("/ready/on");
  await server.get("/live/off");
  expect(await statuses()).toEqual([200, 503]);
});

test("a slow answer takes its time, and one that burns takes the CPU's", async () => {
  await using server = await hello("v1");
  const begun = performance.now();
  await server.get("/slow?ms=50");
  await server.get("/burn?ms=50");
  expect(performance.now() - begun).toBeGreaterThanOrEqual(100);
});
