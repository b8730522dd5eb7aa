/** What is measured of the cluster and beside it: facts that are not state, each with its age (N1). */
import type { ObservedUsage } from "../../libs/cluster/observed-usage.ts";
import type { LabelSelector } from "../../libs/model/label-selector.ts";

/** A value as it was last read. */
export type Reading =
  | { readonly known: true; readonly milli: number; readonly ageMs: number }
  /** `why`: it cannot be had; without, it is being asked for, and nothing is known yet. */
  | { readonly known: false; readonly why: string | undefined };

export type MetricName = {
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelector | undefined;
};
export type DescribedObject = {
  readonly apiVersion?: string | undefined;
  readonly kind: string;
  readonly name: string;
};

/** Of each pod of which something is known; or of none, and why, as of a Reading. */
export type PodReadings =
  | { readonly known: true; readonly byPod: ReadonlyMap<string, Known> }
  | { readonly known: false; readonly why: string | undefined };
type Known = { readonly milli: number; readonly ageMs: number };

/** Values of metrics that no container is the source of. Who asks again and again keeps them fresh. */
export interface MetricValues {
  /**
   * Of all that the selector selects, the sum.
   *
   * @param asker the actor to wake when the value changes, `namespace/name`
   */
  external(metric: MetricName, asker: string): Reading;
  object(metric: MetricName, described: DescribedObject): Reading;
  pods(metric: MetricName): PodReadings;
}

export type Measured = {
  readonly usage: ObservedUsage;
  readonly values: MetricValues;
  /** For how long this instance has listened without a break. */
  readonly heardForMs: () => number;
};
