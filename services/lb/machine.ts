/** What is known, made true on this machine: packet rules, addresses on `lo`, names. */
import { networkInterfaces } from "node:os";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Addresses } from "./dataplane/addresses.ts";
import type { Dataplane } from "./dataplane/dataplane.ts";
import { serveDns } from "./dns/server.ts";
import type { Forward } from "./dns/forward.ts";
import { zone, type Zone } from "./dns/zone.ts";
import { plan } from "./routes/plan.ts";
import type { KnownNow } from "./session/known.ts";

export type MachineOptions = {
  readonly dataplane: Dataplane;
  /** Holds cluster DNS' address where the dataplane does not. */
  readonly addresses: Addresses;
  readonly forward: Forward;
  readonly clock: Clock;
  readonly log: Log;
};

export interface Machine extends AsyncDisposable {
  apply(known: KnownNow): Promise<void>;
  repair(): Promise<void>;
}

/** The IPv4 addresses of this machine's interfaces. */
export const machineAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);

export function machine({ dataplane, addresses, forward, clock, log }: MachineOptions): Machine {
  /** Made when somebody asks: Services change more often than names are looked up. */
  let names: (() => Zone) | undefined;
  let dnsAddress: string | undefined;
  let dns: { readonly address: string; readonly server: AsyncDisposable } | undefined;

  return {
    async apply({ cluster, services, slices, nodes }) {
      if (cluster === undefined) return;
      names = once(() => zone({ ...cluster, services, slices }));
      dnsAddress = cluster.dnsAddress;
      await dataplane.apply(
        plan({ services, slices, nodes, cluster, machineAddresses: machineAddresses() }),
      );
      await answerNamesOn(dnsAddress);
    },
    async repair() {
      if (await dataplane.repair()) log.warn("the rules had been changed by others: restored");
      if (dnsAddress === undefined) return;
      if (dataplane.name === "nftables") await addresses.hold([dnsAddress]);
      await answerNamesOn(dnsAddress); // Port 53 may have been taken before.
    },
    async [Symbol.asyncDispose]() {
      await dns?.server[Symbol.asyncDispose]();
      await dataplane[Symbol.asyncDispose]();
    },
  };

  /** Services are routed even where port 53 cannot be had. */
  async function answerNamesOn(address: string): Promise<void> {
    if (dns?.address === address) return;
    await dns?.server[Symbol.asyncDispose]();
    dns = undefined;
    try {
      if (dataplane.name === "nftables") await addresses.hold([address]);
      const server = await serveDns({
        address,
        port: 53,
        zone: () => names?.(),
        forward,
        clock,
        log,
      });
      dns = { address, server };
      log.info({ address }, "answers cluster DNS");
    } catch (error) {
      log.error({ err: error, address }, "cannot answer cluster DNS");
    }
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
