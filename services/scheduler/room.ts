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
import { taggedImage } from "./tagged-image.ts";

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
        readonly images?: readonly NodeImage[] | undefined;
      }
    | undefined;
};

type NodeImage = {
  readonly names?: readonly string[] | undefined;
  readonly sizeBytes?: number | undefined;
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
  /** Name of an image that is there → bytes. */
  readonly images: ReadonlyMap<string, number>;
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
    images: imagesOf(status.images),
  };
  return pods.filter(takesRoom).map(claimOf).reduce(withClaim, empty);
}

/** The room when so much of it is kept for `claim`, which does not live there yet. */
export const withReserved = (room: Room, { requests, hostPorts }: Claim): Room => ({
  ...room,
  taken: plus(room.taken, requests),
  hostPorts: withPorts(room.hostPorts, hostPorts),
});

/** What of a room is to be had when all of `gone` have left; who lives there is left as it was. */
export function withoutTaken(room: Room, gone: readonly Claim[]): Room {
  if (gone.length === 0) return room;
  const taken: Record<string, number> = { ...room.taken };
  for (const { requests } of gone) {
    for (const name in requests) taken[name] = (taken[name] ?? 0) - (requests[name] ?? 0);
  }
  const left = gone.flatMap(({ hostPorts }) => hostPorts);
  if (left.length === 0) return { ...room, taken };
  // Of one port and address there is one pod on a node; two addresses of one port are two entries.
  const hostPorts = new Set([...room.hostPorts].filter((port) => !left.includes(port)));
  return { ...room, taken, hostPorts };
}

const withPorts = (ports: ReadonlySet<string>, more: readonly string[]): ReadonlySet<string> =>
  more.length === 0 ? ports : new Set([...ports, ...more]);

/** The room when `claim` lives there too. */
export function withClaim(room: Room, claim: Claim): Room {
  const groups = new Map(room.groups);
  groups.set(claim.group, (groups.get(claim.group) ?? 0) + 1);
  return {
    ...room,
    taken: plus(room.taken, claim.requests),
    hostPorts: withPorts(room.hostPorts, claim.hostPorts),
    claims: [...room.claims, claim],
    groups,
  };
}

/** The room when the pod had never come there. */
export function withoutClaim(room: Room, { address }: Claim): Room {
  const others = room.claims.filter((one) => one.address !== address);
  if (others.length === room.claims.length) return room;
  const empty: Room = { ...room, taken: {}, hostPorts: new Set(), claims: [], groups: new Map() };
  return others.reduce(withClaim, empty);
}

const noImages: ReadonlyMap<string, number> = new Map();
/** By what a version of a node reports: that is read once, however often pods come and go there. */
const imagesRead = new WeakMap<readonly NodeImage[], ReadonlyMap<string, number>>();

function imagesOf(reported: readonly NodeImage[] | undefined): ReadonlyMap<string, number> {
  if (reported === undefined || reported.length === 0) return noImages;
  const known = imagesRead.get(reported);
  if (known !== undefined) return known;
  const images = new Map(
    reported.flatMap(({ names = [], sizeBytes = 0 }) =>
      names.map((name) => [taggedImage(name), sizeBytes] as const),
    ),
  );
  imagesRead.set(reported, images);
  return images;
}
