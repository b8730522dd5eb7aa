/** One instance of the controllers, whole, on ports that are given to it. */
import { join } from "node:path";
import { joinPlacement } from "../../libs/actor/placement.ts";
import { runActors } from "../../libs/actor/runtime.ts";
import type { Bus } from "../../libs/bus/bus.ts";
import { authorize } from "../../libs/identity/authorize.ts";
import type { Cluster } from "../../libs/cluster/open.ts";
import type { RecordEvent } from "../../libs/cluster/record-event.ts";
import { listenToUsage, observeUsage } from "../../libs/cluster/observed-usage.ts";
import { apiVersionOf } from "../../libs/model/kind.ts";
import { kinds } from "../../libs/model/registry.ts";
import { horizontalPodAutoscaler } from "../../libs/model/kinds/horizontalpodautoscaler.ts";
import type { SigningKeys } from "../../libs/identity/signing-keys.ts";
import type { Memberships } from "../../libs/store/memberships.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import {
  type AdmissionHooks,
  type AdmissionHooksOptions,
  openAdmissionHooks,
} from "../../libs/webhooks/admission-hooks.ts";
import { behaviourOf } from "./behaviour.ts";
import type { Controller, ControllerOfMany } from "./controller.ts";
import { controllersIn } from "./controllers-in.ts";
import { serveDirectMessages } from "./direct-messages.ts";
import { serveFailing } from "./failing.ts";
import { serveMetrics } from "./measured.ts";
import type { Measured, MetricValues } from "./measurements.ts";
import { jetStreamPending, pendingMetric } from "./metrics/jetstream-pending.ts";
import { listenToMetrics, reportedValues } from "./metrics/reported.ts";
import { serveDrains } from "./sessions/drain.ts";
import { listen } from "./sessions/hearing.ts";
import { serveLbs } from "./sessions/lb-sessions.ts";
import { serveNodes } from "./sessions/node-sessions.ts";
import { observeKeptNodes } from "./sessions/kept-nodes.ts";
import { observeNodes } from "./sessions/observed-nodes.ts";
import type { SessionPorts } from "./sessions/sessions.ts";

export type InstanceOptions = {
  /** Unique among the living. */
  readonly instance: string;
  readonly controllers: readonly (Controller | ControllerOfMany)[];
  readonly bus: Bus;
  readonly cluster: Cluster;
  readonly record: RecordEvent;
  readonly memberships: Memberships;
  /** What pods' tokens are signed with; absent: nobody gets one. */
  readonly signingKeys?: SigningKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Runs beside it from when it acts until `signal` aborts; `works`: it is seen in its group. */
  readonly onActing?: (works: () => boolean) => Promise<void>;
  /** How webhooks are asked about what is written; absent: none is, and no policy judges it. */
  readonly callWebhook?: AdmissionHooksOptions["call"];
  /** Aborts: its actors are handed over, and it ends. */
  readonly signal: AbortSignal;
};

/** Every controller there is. */
export const allControllers = (): Promise<readonly (Controller | ControllerOfMany)[]> =>
  controllersIn(join(import.meta.dirname, "actors"));

/** Runs until `signal` aborts and the hand-over has ended. */
export async function runInstance(options: InstanceOptions): Promise<void> {
  const { instance, controllers, bus, cluster, record, memberships, signal } = options;
  const { clock, random, log } = options;
  const { store, replica, view, settings } = cluster;
  const ports = { clock, random, log, signal };

  using hearing = listen(clock, () => bus.healthySinceMs());
  const nodes = observeNodes(clock, hearing);
  using kept = observeKeptNodes({ clock, hearing, replica, view });
  const usage = observeUsage(clock);
  await using _usage = await listenToUsage(bus, usage);
  let wake = (_autoscaler: string): void => undefined;
  await using pending = jetStreamPending({ bus, changed: (asker) => wake(asker), ...ports });
  const heardForMs = () => hearing.heardForMs();
  const reported = reportedValues(ports, heardForMs);
  await using _metrics = await listenToMetrics(bus, reported, log);
  const external: MetricValues["external"] = (metric, asker) =>
    (metric.name === pendingMetric ? pending : reported).external(metric, asker);
  const measured: Measured = { usage, values: { ...reported, external }, heardForMs };
  using hooks = options.callWebhook && hooksOn(cluster, options.callWebhook, options);
  const around = { nodes, kept, settings, measured, view, record, random, hooks };
  const behaviours = controllers.map((one) => behaviourOf(one, around));

  let instances: readonly string[] = [];
  const member = { id: instance, group: "controllers" };
  const following = memberships.follow(
    "controllers",
    (members) => void (instances = members.map(({ id }) => id)),
    signal,
  );
  const placement = await joinPlacement({ memberships, member, clock, log, signal });
  await using actors = runActors({ behaviours, view, replica, store, placement, ...ports });
  wake = (asker) => actors.tell(horizontalPodAutoscaler.plural, asker);
  const sessions: SessionPorts = {
    bus,
    store,
    replica,
    view,
    settings,
    signingKeys: options.signingKeys,
    placement,
    tell: (kind, name) => actors.tell(kind, name),
    ...ports,
  };
  await using _nodes = await serveNodes(sessions, nodes, record);
  await using lbs = await serveLbs(sessions, hearing);
  await using _drains = await serveDrains(sessions, lbs);
  const asked = { bus, instance, instances: () => instances, log };
  await using _failing = await serveFailing(asked, actors);
  await using _served = await serveMetrics(asked, actors);
  const kinds = new Set(behaviours.map(({ kind }) => kind));
  await using _told = await serveDirectMessages({ bus, instance, placement, kinds, actors });
  log.info({ controllers: controllers.length }, "the controllers act");
  const beside = options.onActing?.(() => placement.isMember());
  await Promise.all([actors.ended, following, beside]);
}

function hooksOn(
  { replica, view }: Cluster,
  call: AdmissionHooksOptions["call"],
  { random, log }: Pick<InstanceOptions, "random" | "log">,
): AdmissionHooks {
  const served = kinds.flatMap((kind) => [kind, ...kind.versions]);
  const kindOf = (apiVersion: string, name: string) =>
    served.find((one) => one.kind === name && apiVersionOf(one) === apiVersion);
  return openAdmissionHooks({ replica, view, authorize, kindOf, call, random, log });
}
