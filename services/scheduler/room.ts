/** What a node has to give and what is taken of it, at one cut. */
import type { Taint } from "../../libs/model/pod/placement.ts";
import {
  type Amounts,
  amountsOf,
  type Claim,
  claimOf,
  plus,
  type PodFacts,
  takesRoom,
} from "./claim.ts";

/** What of a v1 Node the scheduler reads. */
export type NodeFacts = {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly deletionTimestamp?: string | undefined;
  };
  readonly spec?:
    | {
        readonly unschedulable?: boolean | undefined;
        readonly taints?: readonly Taint[] | undefined;
      }
    | undefined;
  readonly status?:
    | {
        readonly allocatable?: Readonly<Record<string, string>> | undefined;
        readonly conditions?:
          | readonly { readonly type: string; readonly status: string }[]
          | undefined;
      }
    | undefined;
};

export type Room = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly cordoned: boolean;
  readonly ready: boolean;
  readonly allocatable: Amounts;
  readonly taken: Amounts;
  readonly hostPorts: ReadonlySet<string>;
  /** Everything that lives there. */
  readonly claims: readonly Claim[];
  /** How many of each group live there. */
  readonly groups: ReadonlyMap<string, number>;
};

/** @param pods bound to the node; those that have ended are left out here */
export function roomOf(node: NodeFacts, pods: readonly PodFacts[]): Room {
  const { metadata, spec = {}, status = {} } = node;
  const readiness = (status.conditions ?? []).find(({ type }) => type === "Ready");
  const empty: Room = {
    name: metadata.name,
    labels: metadata.labels ?? {},
    taints: spec.taints ?? [],
    cordoned: spec.unschedulable === true || metadata.deletionTimestamp !== undefined,
    ready: readiness === undefined || readiness.status === "True",
    allocatable: amountsOf(status.allocatable),
    taken: {},
    hostPorts: new Set(),
    claims: [],
    groups: new Map(),
  };
  return pods.filter(takesRoom).map(claimOf).reduce(withClaim, empty);
}

/** The room when `claim` lives there too. */
export function withClaim(room: Room, claim: Claim): Room {
  const groups = new Map(room.groups);
  groups.set(claim.group, (groups.get(claim.group) ?? 0) + 1);
  return {
    ...room,
    taken: plus(room.taken, claim.requests),
    hostPorts:
      claim.hostPorts.length === 0
        ? room.hostPorts
        : new Set([...room.hostPorts, ...claim.hostPorts]),
    claims: [...room.claims, claim],
    groups,
  };
}
