/**
 * Kills real processes under a churn of Deployments, then judges the record:
 *
 *     npm run chaos -- [--seconds 180] [--nats-servers 1] [--nats-every 0] [--controllers 3] [--schedulers 2]
 *
 * `SEED=…` repeats the users' and the kills' choices.
 */
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Docker from "dockerode";
import { ensureHelloImages } from "../../scripts/images/hello.ts";
import { ensureEngine } from "../../scripts/tools/engine.ts";
import { testCluster } from "../cluster.ts";
import { testRandom } from "../seed.ts";
import { chaos } from "./chaos.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "180" },
    deployments: { type: "string", default: "20" },
    controllers: { type: "string", default: "3" },
    schedulers: { type: "string", default: "2" },
    "nats-servers": { type: "string", default: "1" },
    /** Seconds between two kills of a nats-server; 0: none. */
    "nats-every": { type: "string", default: "0" },
  },
});
process.exitCode = await main().catch((error: unknown) => {
  console.error(error);
  return 2;
});

async function main(): Promise<number> {
  await using _engine = await ensureEngine();
  await ensureHelloImages(new Docker());
  await using cluster = await testCluster({
    nodes: 1,
    controllers: Number(values.controllers),
    schedulers: Number(values.schedulers),
    natsServers: Number(values["nats-servers"]),
  });
  const natsEvery = Number(values["nats-every"]) * 1_000;
  try {
    const report = await chaos(cluster, testRandom("chaos"), {
      seconds: Number(values.seconds),
      killEveryMs: 1_000,
      natsEveryMs: natsEvery > 0 ? natsEvery : undefined,
      deployments: Number(values.deployments),
      actEveryMs: 700,
    });
    console.log(JSON.stringify(report));
    return report.broken.length > 0 ? 1 : 0;
  } catch (error) {
    const logs = mkdtempSync(join(tmpdir(), "berth-chaos-"));
    cpSync(cluster.logs, logs, { recursive: true });
    console.error(error, `the logs are in ${logs}`);
    return 2;
  }
}
