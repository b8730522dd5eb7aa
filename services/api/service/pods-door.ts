/**
 * Where pods reach this gateway: the address of a node's bridge on this machine. It exists once the
 * node has its range and its network, and nobody but pods and the machine itself gets there.
 */
import { addressIn } from "../../../libs/model/address-range.ts";
import { node as nodeKind } from "../../../libs/model/kinds/node.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Gateway } from "../resources/gateway.ts";

export type DoorOptions = {
  readonly gateway: Pick<Gateway, "backendFor">;
  /** Of this machine. */
  readonly node: string;
  /** Listens at that address. @throws when it is not this machine's, or not yet */
  readonly open: (address: string) => Promise<AsyncDisposable & { readonly port: number }>;
  /** Pods can reach `address`: to be told to whoever makes the Service, until `signal` aborts. */
  readonly opened: (address: string, port: number) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** How often it looks whether the address is there. */
const lookAgainMs = 500;

/** Runs until `signal` aborts. @throws when it cannot be told where the gateway is */
export async function openPodsDoor(options: DoorOptions): Promise<void> {
  const { gateway, node, open, opened, clock, log, signal } = options;
  const { view } = gateway.backendFor(nodeKind);
  const attempt = async (address: string) => {
    try {
      return await open(address);
    } catch (error) {
      log.debug({ err: error, address }, "the gateway cannot listen for pods yet");
      return undefined;
    }
  };
  while (!signal.aborted) {
    const podCIDR = view.get(nodeKind, undefined, node)?.spec.podCIDR ?? "";
    const address = podCIDR === "" ? undefined : addressIn(podCIDR, 1);
    const door = address === undefined ? undefined : await attempt(address);
    if (door === undefined || address === undefined) {
      await clock.sleep(lookAgainMs, signal);
      continue;
    }
    await using _door = door;
    log.info({ address, port: door.port }, "pods reach the gateway");
    await opened(address, door.port); // The door stays open until it ends.
    return;
  }
}
