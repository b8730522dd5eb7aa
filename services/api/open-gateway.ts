import type { Bus } from "../../libs/bus/bus.ts";
import { authorize } from "../../libs/identity/authorize.ts";
import type { Cluster } from "../../libs/cluster/open.ts";
import { listenToUsage, observeUsage } from "../../libs/cluster/observed-usage.ts";
import { type ClusterView, clusterView, replicaOptions } from "../../libs/cluster/view.ts";
import type { Kind } from "../../libs/model/kind.ts";
import { apiVersionOf } from "../../libs/model/kind.ts";
import { openAdmissionHooks } from "../../libs/webhooks/admission-hooks.ts";
import { callWebhook } from "../../libs/webhooks/call.ts";
import { endpointsOf } from "../../libs/webhooks/endpoints.ts";
import { openReplica } from "../../libs/store/open-replica.ts";
import type { Store } from "../../libs/store/store.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import { openCatalogue } from "./custom/catalogue.ts";
import { webhookConversion } from "./custom/webhook-conversion.ts";
import { openIdentity } from "./auth/identity.ts";
import type { Authority } from "./pki/authority.ts";
import { backendOf } from "./resources/backend.ts";
import type { Gateway } from "./resources/gateway.ts";
import { storedKind } from "./resources/versions.ts";

export type GatewayOptions = {
  /** Those that are stored; they are served in all their versions. */
  readonly kinds: readonly Kind[];
  readonly cluster: Cluster;
  /** Where Kubernetes Events are, with their own revisions. */
  readonly events: Store;
  readonly bus: Bus;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** The caches over the state and over the events; disposing of it leaves the stores open. */
export async function openGateway(options: GatewayOptions): Promise<Gateway & AsyncDisposable> {
  const { kinds, cluster, events, bus, authority, clock, random, log, signal } = options;
  await using stack = new AsyncDisposableStack();
  const replica = stack.use(await openReplica(events, { ...replicaOptions, clock, log, signal }));
  const state = stack.use(backendOf(cluster, { clock, log }));
  const view = eventsView(clusterView(replica), cluster.view);
  const ofEvents = stack.use(backendOf({ store: events, replica, view }, { clock, log }));
  const { settings } = cluster;
  const identity = await openIdentity({ authority, backend: state, settings, clock });
  const usage = observeUsage(clock);
  stack.use(await listenToUsage(bus, usage));
  const catalogue = stack.use(
    openCatalogue(kinds, cluster, (definition) =>
      webhookConversion(definition, {
        resolve: (service) => endpointsOf(cluster.view, service, random),
        random,
        signal,
      }),
    ),
  );
  const hooks = stack.use(
    openAdmissionHooks({
      replica: cluster.replica,
      view: cluster.view,
      authorize,
      kindOf: (apiVersion, kind) =>
        catalogue.kinds.find((one) => one.kind === kind && apiVersionOf(one) === apiVersion),
      call: callWebhook,
      random,
      log,
    }),
  );
  const opened = stack.move();
  return {
    get kinds() {
      return catalogue.kinds;
    },
    catalogue,
    backendFor: (kind) => (isEvent(kind) ? ofEvents : state),
    ports: { clock, random, settings, hooks },
    identity,
    bus,
    usage,
    log,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function isEvent(kind: Kind): boolean {
  const { group, kind: name } = storedKind(kind);
  return group === "" && name === "Event";
}

/** The events' view; their Namespaces are in the state. */
function eventsView(events: ClusterView, state: ClusterView): ClusterView {
  return {
    raw: events.raw,
    get revision() {
      return events.revision;
    },
    get: (kind, namespace, name) => (isEvent(kind) ? events : state).get(kind, namespace, name),
    list: (kind, filter) => (isEvent(kind) ? events : state).list(kind, filter),
  };
}
