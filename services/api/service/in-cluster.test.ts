/** The real process on a real nats-server: where pods reach it, and what says so. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { clientOf } from "../../../test/https-client.ts";
import { startNats } from "../../../test/nats-server.ts";

const root = join(import.meta.dirname, "..", "..", "..");
/** Of this process, on the machine's loopback: several may test at once. */
const range = `127.${100 + (process.pid % 100)}.7.0/24`;
const address = range.replace("0/24", "1");

test("a gateway listens where a node's pods reach it, and its slice says so", async () => {
  const nats = await startNats();
  const folder = await mkdtemp(join(tmpdir(), "berth-in-cluster-"));
  const kubeconfig = join(folder, "kubeconfig");
  const child = spawn(process.execPath, [join(root, "services/api/main.ts")], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      BERTH_NATS_URL: nats.url,
      BERTH_API_PORT: "0",
      BERTH_API_NODE: "n1",
      BERTH_PKI_DIR: join(folder, "pki"),
      BERTH_KUBECONFIG: kubeconfig,
      BERTH_LOG_LEVEL: process.env["LOG"] ?? "warn",
    },
  });
  onTestFinished(async () => {
    const exited = once(child, "exit");
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await exited;
    }
    await nats[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  while (!existsSync(kubeconfig)) {
    expect(child.exitCode).toBeNull();
    await systemClock.sleep(20);
  }
  const client = await clientOf(kubeconfig);
  const post = (path: string, body: object) => client.call("POST", path, { body });
  await post("/api/v1/namespaces", { metadata: { name: "default" } });
  await post("/api/v1/nodes", { metadata: { name: "n1" }, spec: { podCIDR: range } });
  const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  await vi.waitFor(
    async () =>
      expect((await client.call("GET", `${slices}/kubernetes`)).body).toMatchObject({
        endpoints: [{ addresses: [address], conditions: { ready: true } }],
        ports: [{ name: "https", port: expect.any(Number) }],
      }),
    20_000,
  );
});
