/** The controllers' process: reads the environment, holds the resources, decides nothing. */
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { openCluster } from "../../libs/cluster/open.ts";
import { proveHealth } from "../../libs/cluster/prove-health.ts";
import { eventRecorder } from "../../libs/cluster/record-event.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { openSigningKeys } from "../../libs/identity/signing-keys.ts";
import { natsMemberships } from "../../libs/store/nats-memberships.ts";
import { natsEnvironment } from "../../libs/store/nats-environment.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { healthMark } from "../../libs/telemetry/health.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
import { callWebhook } from "../../libs/webhooks/call.ts";
import { allControllers, runInstance } from "./instance.ts";

const config = z
  .object({
    ...natsEnvironment,
    /** Touched whenever the service has done its work anew. */
    BERTH_HEALTH_FILE: z.string().optional(),
    BERTH_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
    BERTH_INSTANCE: z.string().default("controllers"),
  })
  .parse(process.env);
const proposed = settingsFromEnvironment.parse(process.env);

using stop = stopSignal();
const { signal } = stop;
// Unique among the living: a name may be used again before its lease has expired.
const instance = `${config.BERTH_INSTANCE}-${systemRandom.uuid().slice(0, 8)}`;
const log = createLog("controllers", config.BERTH_LOG_LEVEL).child({ instance });
const ports = { clock: systemClock, random: systemRandom, log };
const { BERTH_NATS_URL: url, BERTH_NATS_REPLICAS: replicas } = config;

await using bus = await natsBus({ url, name: instance, ...ports });
// Not the stop signal: a hand-over still waits for its commits to reach the replica.
const closing = new AbortController();
await using cluster = await openCluster({
  url,
  replicas,
  settings: proposed,
  signal: closing.signal,
  opening: signal,
  ...ports,
});
await using events = await natsStore({
  url,
  replicas,
  bucket: "events",
  maxAgeSeconds: 3_600,
  ...ports,
});
await using record = eventRecorder({ store: events, ...ports });
await using memberships = await natsMemberships({ url, replicas, ...ports });
const signingKeys = await openSigningKeys(cluster.store);
const mark = healthMark(config.BERTH_HEALTH_FILE, log);
await runInstance({
  instance,
  controllers: await allControllers(),
  bus,
  cluster,
  record,
  memberships,
  signingKeys,
  callWebhook,
  signal,
  onActing: (works) => proveHealth({ cluster, mark, works, signal, ...ports }),
  ...ports,
});
log.info("the controllers stop");
