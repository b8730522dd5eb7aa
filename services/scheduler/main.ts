/** The scheduler's process: reads the environment, holds the resources, decides nothing. */
import * as z from "zod";
import { joinPlacement } from "../../libs/actor/placement.ts";
import { natsBus } from "../../libs/bus/nats.ts";
import { serveAskAll } from "../../libs/cluster/ask-all.ts";
import { openCluster } from "../../libs/cluster/open.ts";
import { proveHealth } from "../../libs/cluster/prove-health.ts";
import { eventRecorder } from "../../libs/cluster/record-event.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { schedulerMetricsSubject } from "../../libs/protocol/subjects.ts";
import { natsMemberships } from "../../libs/store/nats-memberships.ts";
import { natsEnvironment } from "../../libs/store/nats-environment.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { healthMark } from "../../libs/telemetry/health.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
import { runScheduler } from "./batch.ts";
import { schedulerMetrics } from "./metrics.ts";
import { runRebalancing } from "./rebalancing.ts";
import { rooms } from "./rooms.ts";
import { serveExplain } from "./serve-explain.ts";

const environment = z.object({
  ...natsEnvironment,
  /** Touched whenever the service has done its work anew. */
  BERTH_HEALTH_FILE: z.string().optional(),
  BERTH_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Names this instance among its like, in logs and memberships. */
  BERTH_INSTANCE: z.string().default("scheduler"),
});
const config = environment.parse(process.env);
const settings = settingsFromEnvironment.parse(process.env);

using stop = stopSignal();
const log = createLog("scheduler", config.BERTH_LOG_LEVEL).child({
  instance: config.BERTH_INSTANCE,
});
const ports = { clock: systemClock, random: systemRandom, log };
const { BERTH_NATS_URL: url, BERTH_NATS_REPLICAS: replicas } = config;

// The state stays open past the stop, for the commits that are in flight then.
const closing = new AbortController();
await using cluster = await openCluster({
  url,
  replicas,
  settings,
  signal: closing.signal,
  opening: stop.signal,
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
await using bus = await natsBus({ url, name: config.BERTH_INSTANCE, ...ports });
using space = rooms(cluster.view, cluster.replica);
await using _explaining = await serveExplain(bus, { ...cluster, rooms: space });
await using memberships = await natsMemberships({ url, replicas, ...ports });

const { signal } = stop;
const member = { id: `${config.BERTH_INSTANCE}-${systemRandom.uuid()}`, group: "scheduler" };
const placement = await joinPlacement({ memberships, member, signal, ...ports });
log.info({ member: member.id }, "scheduling");
const works = () => placement.isMember();
const measured = schedulerMetrics();
let instances: readonly string[] = [];
await using _metrics = await serveAskAll(
  { bus, instance: member.id, instances: () => instances, log },
  schedulerMetricsSubject,
  async () => [{ metrics: await measured.text() }],
);
await Promise.all([
  memberships.follow(
    member.group,
    (members) => void (instances = members.map(({ id }) => id)),
    signal,
  ),
  runScheduler({ ...cluster, rooms: space, placement, record, measured, signal, ...ports }),
  runRebalancing({ ...cluster, rooms: space, placement, record, signal, ...ports }),
  proveHealth({
    cluster,
    mark: healthMark(config.BERTH_HEALTH_FILE, log),
    works,
    signal,
    ...ports,
  }),
]);
log.info("stopped");
