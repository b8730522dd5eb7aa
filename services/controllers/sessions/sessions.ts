import type { AdmissionContext } from "../../../libs/admission/context.ts";
import type { Bus } from "../../../libs/bus/bus.ts";
import type { ClusterSettings } from "../../../libs/cluster/settings.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import type { SigningKeys } from "../../../libs/identity/signing-keys.ts";
import type { Replica } from "../../../libs/store/replica.ts";
import type { Store } from "../../../libs/store/store.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Random } from "../../../libs/telemetry/random.ts";

/** What the sessions with nodes and lbs are given. */
export type SessionPorts = {
  readonly bus: Bus;
  readonly store: Store;
  readonly replica: Replica<unknown>;
  readonly view: ClusterView;
  readonly settings: ClusterSettings;
  /** What pods' tokens are signed with; absent: nobody gets one. */
  readonly signingKeys?: SigningKeys | undefined;
  /** Which instance answers for an address, such as `nodes/n1`. */
  readonly placement: { owns(address: string): boolean };
  /** Wakes an actor, such as `tell("nodes", "n1")`. */
  readonly tell: (kind: string, name: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** Admission at the cut as it is now. */
export const admission = ({ view, clock, random, settings }: SessionPorts): AdmissionContext => ({
  view,
  now: clock.now(),
  random,
  settings,
});
