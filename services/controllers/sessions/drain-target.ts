/** What a drain waits for (N6), read from one cut. Pure. */
import type { Revision } from "../../../libs/store/store.ts";

export type DrainedPod = {
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** It may be routed to: it has an address, has not ended and is ready. */
  readonly routable: boolean;
};
export type SelectingService = {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
};
export type HoldingSlice = {
  readonly service: string;
  readonly revision: Revision;
  readonly endpoints: readonly {
    readonly uid: string | undefined;
    readonly terminating: boolean;
  }[];
};

export type DrainTarget =
  /** No Service routes to it. */
  | { readonly kind: "none" }
  /** Some Service's slices do not show yet that it terminates. */
  | { readonly kind: "unwritten" }
  /** Whoever has applied `revision` routes to it no more. */
  | { readonly kind: "written"; readonly revision: Revision };

/**
 * The last revision of the slices that show `pod` as terminating, in all Services that select it.
 *
 * A pod that is in no slice of such a Service is waited for only if it is routable: its slice may
 * still be on its way.
 */
export function drainTarget(
  pod: DrainedPod | undefined,
  services: readonly SelectingService[],
  slices: readonly HoldingSlice[],
): DrainTarget {
  if (pod === undefined) return { kind: "none" };
  const revisions: Revision[] = [];
  for (const { name } of services.filter(({ selector }) => selects(selector, pod.labels))) {
    const shown = slices
      .filter(({ service }) => service === name)
      .flatMap(({ revision, endpoints }) =>
        endpoints
          .filter(({ uid }) => uid === pod.uid)
          .map(({ terminating }) => ({ revision, terminating })),
      );
    if (shown.some(({ terminating }) => !terminating)) return { kind: "unwritten" };
    if (shown.length === 0 && pod.routable) return { kind: "unwritten" };
    revisions.push(...shown.map(({ revision }) => revision));
  }
  if (revisions.length === 0) return { kind: "none" };
  return { kind: "written", revision: Math.max(...revisions) };
}

/** A Service without a selector selects nothing: its slices are somebody else's. */
function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
}
