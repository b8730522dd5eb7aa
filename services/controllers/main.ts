/** The controllers' process: reads the environment, holds the resources, decides nothing. */
import { join } from "node:path";
import * as z from "zod";
import { joinPlacement } from "../../libs/actor/placement.ts";
import { runActors } from "../../libs/actor/runtime.ts";
import { natsBus } from "../../libs/bus/nats.ts";
import { openCluster } from "../../libs/cluster/open.ts";
import { eventRecorder } from "../../libs/cluster/record-event.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { natsMemberships } from "../../libs/store/nats-memberships.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
import { behaviourOf } from "./behaviour.ts";
import { controllersIn } from "./controllers-in.ts";
import { serveFailing } from "./failing.ts";
import { serveDrains } from "./sessions/drain.ts";
import { listen } from "./sessions/hearing.ts";
import { serveLbs } from "./sessions/lb-sessions.ts";
import { serveNodes } from "./sessions/node-sessions.ts";
import { observeNodes } from "./sessions/observed-nodes.ts";
import type { SessionPorts } from "./sessions/sessions.ts";

const config = z
  .object({
    BERTH_NATS_URL: z.string().default("nats://127.0.0.1:4222"),
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
const url = config.BERTH_NATS_URL;

await using bus = await natsBus({ url, name: instance, ...ports });
// Not the stop signal: a hand-over still waits for its commits to reach the replica.
const closing = new AbortController();
await using cluster = await openCluster({
  url,
  settings: proposed,
  signal: closing.signal,
  ...ports,
});
await using events = await natsStore({ url, bucket: "events", maxAgeSeconds: 3_600, ...ports });
await using record = eventRecorder({ store: events, ...ports });
await using memberships = await natsMemberships({ url, ...ports });
const { store, replica, view, settings } = cluster;

using hearing = listen(systemClock, () => bus.healthySinceMs());
const nodes = observeNodes(systemClock, hearing);
const around = { nodes, settings, view, record, random: systemRandom };
const controllers = await controllersIn(join(import.meta.dirname, "actors"));
const behaviours = controllers.map((one) => behaviourOf(one, around));

let instances: readonly string[] = [];
const member = { id: instance, group: "controllers" };
const following = memberships.follow(
  "controllers",
  (members) => void (instances = members.map(({ id }) => id)),
  signal,
);
const placement = await joinPlacement({ memberships, member, signal, ...ports });
await using actors = runActors({ behaviours, view, replica, store, placement, signal, ...ports });
const sessions: SessionPorts = {
  bus,
  store,
  replica,
  view,
  settings,
  placement,
  tell: (kind, name) => actors.tell(kind, name),
  signal,
  ...ports,
};
await using _nodes = await serveNodes(sessions, nodes, record);
await using lbs = await serveLbs(sessions, hearing);
await using _drains = await serveDrains(sessions, lbs);
await using _failing = await serveFailing({
  bus,
  actors,
  instance,
  instances: () => instances,
  log,
});

log.info({ controllers: controllers.length }, "the controllers act");
await Promise.all([actors.ended, following]);
log.info("the controllers stop");
