import type { Kind } from "../model/kind.ts";
import type { ManagedFields } from "../model/fields/managed.ts";
import type { ClusterSettings } from "../cluster/settings.ts";
import type { ClusterView } from "../cluster/view.ts";
import type { Op } from "../store/store.ts";
import type { EpochMs } from "../telemetry/clock.ts";
import type { Random } from "../telemetry/random.ts";

/** What admission may look at. It reads the cut and has no effects. */
export type AdmissionContext = {
  readonly view: ClusterView;
  readonly now: EpochMs;
  readonly random: Random;
  readonly settings: ClusterSettings;
  /** Who writes; a controller when absent. */
  readonly writer?: Writer | undefined;
};

/** Who writes, as far as it takes to say who manages the fields that are written. */
export type Writer =
  | {
      readonly manager: string;
      /** The kind in the version that is written. */
      readonly kind: Kind;
      /** Empty: the object itself. */
      readonly subresource: string;
      /** The `managedFields` that were sent: they replace those that are there. */
      readonly sent: unknown;
    }
  /** What was applied: who manages what is known. */
  | { readonly managedFields: ManagedFields | undefined };

/** A write that may be made: the object as it will be, and the whole transaction that makes it so. */
export type Admitted<T> = {
  readonly object: T;
  readonly ops: readonly Op[];
};

/** An object of any kind, as admission handles it. */
export type AnyObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: Readonly<Record<string, unknown>> | undefined;
  readonly status?: Readonly<Record<string, unknown>> | undefined;
};
export type Metadata = {
  readonly name?: string | undefined;
  readonly generateName?: string | undefined;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly deletionGracePeriodSeconds?: number | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly managedFields?: ManagedFields | undefined;
};

/** RFC 3339 to the second, as Kubernetes' `metav1.Time`. */
export const timestamp = (at: EpochMs): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
