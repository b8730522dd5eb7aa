/** Keeps the Service `default/kubernetes` naming the gateways that live. */
import { dequal } from "dequal";
import { admitCreate, admitRemove, admitUpdate } from "../../../libs/admission/admit.ts";
import { prefixOf } from "../../../libs/cluster/key.ts";
import { apiService } from "../../../libs/model/api-service.ts";
import { endpointSlice, type EndpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import type { Memberships } from "../../../libs/store/memberships.ts";
import { bell } from "../../../libs/telemetry/bell.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Gateway } from "../resources/gateway.ts";
import { write } from "../resources/write.ts";
import { saidBy, wantedSlices } from "./api-slices.ts";

export const gatewaysGroup = "api";

export type KeepOptions = {
  readonly gateway: Pick<Gateway, "backendFor" | "ports">;
  readonly memberships: Memberships;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

const retryMs = 1_000;

/**
 * Every gateway does, and all write the same: names follow from the Service, and each key's own
 * expectation keeps two apart (S2). Where no gateway is known to live nothing is written: who would
 * believe that is alone or cut off (W3). Runs until `signal` aborts.
 */
export async function keepSlices(options: KeepOptions): Promise<void> {
  const { gateway, memberships, clock, log, signal } = options;
  const { replica } = gateway.backendFor(endpointSlice);
  const news = bell(clock);
  let members: readonly string[] = [];
  const prefix = prefixOf(endpointSlice, apiService.namespace);
  using _changes = replica.subscribe(({ changes }) => {
    if (changes.some(({ key }) => key.startsWith(prefix))) news.ring();
  });
  const following = memberships.follow(
    gatewaysGroup,
    (living) => {
      members = living.map(({ id }) => id);
      news.ring();
    },
    signal,
  );
  const keeping = async () => {
    let retry = false;
    while (!signal.aborted) {
      await news.wait(retry ? retryMs : undefined, signal);
      if (signal.aborted) return;
      try {
        if (members.length > 0) await writeSlices(gateway, members);
        retry = false;
      } catch (error) {
        retry = true;
        log.debug({ err: error }, "the API's endpoints could not be written yet");
      }
    }
  };
  await Promise.all([following, keeping()]);
}

async function writeSlices(gateway: KeepOptions["gateway"], members: readonly string[]) {
  const backend = gateway.backendFor(endpointSlice);
  const wanted = wantedSlices(members);
  const labels = { "kubernetes.io/service-name": apiService.name };
  const held = backend.view.list(endpointSlice, {
    namespace: apiService.namespace,
    selector: { matchLabels: labels },
  });
  const names = new Set([...wanted, ...held].map(({ metadata }) => metadata.name));
  for (const name of names) {
    const shall = wanted.find(({ metadata }) => metadata.name === name);
    await writeSlice(gateway, name, shall);
  }
}

async function writeSlice(
  { backendFor, ports }: KeepOptions["gateway"],
  name: string,
  shall: EndpointSlice | undefined,
): Promise<void> {
  const { namespace } = apiService;
  const target = { kind: endpointSlice, namespace, name };
  await write(
    backendFor(endpointSlice),
    (context) => {
      const is = context.view.get(endpointSlice, namespace, name);
      if (shall === undefined) {
        return is === undefined
          ? { object: undefined, ops: undefined }
          : admitRemove(endpointSlice, is, context);
      }
      if (is === undefined) return admitCreate(endpointSlice, shall, context);
      const same = { object: is, ops: undefined };
      if (dequal(saidBy(is), saidBy(shall))) return same;
      const { endpoints, ports: told } = shall;
      const labels = { ...is.metadata.labels, ...shall.metadata.labels };
      const after = { ...is, metadata: { ...is.metadata, labels }, endpoints, ports: told };
      return admitUpdate(endpointSlice, is, after, context) ?? same;
    },
    { ports, dryRun: false, target: () => target, changes: target },
  );
}
