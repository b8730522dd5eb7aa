/** The next step of a DaemonSet: on which nodes to make a pod, and which pods to end, at one cut. */
import type { PlacedPod } from "../workload/pod-state.ts";
import type { Eligibility } from "./eligible.ts";

export type Daemon = {
  readonly placed: PlacedPod;
  /** It is of the template's revision. */
  readonly updated: boolean;
  /** Nobody deleted it. */
  readonly staying: boolean;
  /** It ended by itself, and will not run again. */
  readonly over: boolean;
  /** It is staying, and has been ready for as long as it takes. */
  readonly available: boolean;
};

export type Site = Eligibility & {
  readonly node: string;
  /** Those bound to the node and those made for it, the oldest first. */
  readonly daemons: readonly Daemon[];
};

/** How old pods are replaced; one of the two numbers is 0. Undefined: they stay. */
export type Rolling = { readonly unavailable: number; readonly surge: number } | undefined;

export type Step = { readonly creates: readonly string[]; readonly deletes: readonly Daemon[] };

/** One pod on each node where it belongs; where there are too many, the first of its kind stays. */
export function nextStep(sites: readonly Site[], rolling: Rolling): Step {
  const surges = rolling !== undefined && rolling.surge > 0;
  const creates = sites.filter((site) => site.runs && site.daemons.length === 0);
  const strays = sites.flatMap((site) => excess(site, surges));
  const rolled = rolling === undefined ? nothing : rollingStep(sites, rolling);
  const known = new Set(strays);
  return {
    creates: [...creates.map(({ node }) => node), ...rolled.creates],
    deletes: [...strays, ...rolled.deletes.filter((one) => !known.has(one))],
  };
}

const nothing: Step = { creates: [], deletes: [] };
const running = ({ daemons }: Site) => daemons.filter((one) => one.staying && !one.over);

function excess(site: Site, surges: boolean): readonly Daemon[] {
  const staying = site.daemons.filter((one) => one.staying);
  if (!site.stays) return staying;
  const over = staying.filter((one) => one.over);
  const alive = running(site);
  if (!surges) return [...over, ...alive.slice(1)];
  const kept = [alive.find((one) => one.updated), alive.find((one) => !one.updated)];
  return [...over, ...alive.filter((one) => !kept.includes(one))];
}

function rollingStep(sites: readonly Site[], rolling: NonNullable<Rolling>): Step {
  const wanted = sites.filter((site) => site.runs);
  return rolling.surge > 0
    ? surgingStep(wanted, rolling.surge)
    : replacingStep(wanted, rolling.unavailable);
}

/** Old pods go first; what is not available costs nothing, and counts with what is missing anyway. */
function replacingStep(sites: readonly Site[], unavailable: number): Step {
  const first = sites.flatMap((site) => running(site)[0] ?? []);
  const missing = sites.length - first.filter((one) => one.available).length;
  const old = first.filter((one) => !one.updated);
  const broken = old.filter((one) => !one.available);
  const spare = Math.max(unavailable - missing, 0);
  const given = old.filter((one) => one.available).slice(0, spare);
  return { creates: [], deletes: [...broken, ...given] };
}

/** New pods come first; an old one goes when its successor is available, or when it is not itself. */
function surgingStep(sites: readonly Site[], surge: number): Step {
  const pairs = sites.map((site) => {
    const alive = running(site);
    const fresh = alive.find((one) => one.updated);
    return { site, fresh, old: alive.find((one) => !one.updated) };
  });
  const both = pairs.filter(({ fresh, old }) => fresh !== undefined && old !== undefined);
  const replaced = both.filter(({ fresh, old }) => fresh?.available === true || !old?.available);
  const alone = pairs.filter(({ fresh, old }) => fresh === undefined && old !== undefined);
  const broken = alone.filter(({ old }) => !old?.available);
  const spare = Math.max(surge - (both.length - replaced.length), 0);
  const surging = alone.filter(({ old }) => old?.available).slice(0, spare);
  return {
    creates: [...broken, ...surging].map(({ site }) => site.node),
    deletes: replaced.flatMap(({ old }) => old ?? []),
  };
}
