import type { Bus } from "../../../libs/bus/bus.ts";
import type { ObservedUsage } from "../../../libs/cluster/observed-usage.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Catalogue } from "../custom/catalogue.ts";
import type { Identity } from "../auth/identity.ts";
import type { Backend } from "./backend.ts";
import type { WritePorts } from "./write.ts";

/** What every handler works with, over HTTP and over NATS. */
export type Gateway = {
  /** All that are served now, in all their versions. */
  readonly kinds: readonly Kind[];
  readonly catalogue: Catalogue;
  /** Where a kind's objects live. */
  readonly backendFor: (kind: Kind) => Backend;
  readonly ports: WritePorts;
  /** Whom it knows, and what it signs with. */
  readonly identity: Identity;
  readonly bus: Bus;
  /** What nodes and pods use, as this instance hears it. */
  readonly usage: ObservedUsage;
  readonly log: Log;
};
