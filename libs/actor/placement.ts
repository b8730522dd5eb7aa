/**
 * Which instance an address lives on: rendezvous hashing over the living members of a group. Every
 * instance that sees the same members decides the same; when one comes or goes, only its addresses
 * move. It spreads work and nothing else: safety rests on the transactions (design §4).
 */
import xxhash from "xxhash-wasm";
import type { Member, Memberships } from "../store/memberships.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";

export type Placement = {
  /** Whether this instance acts for `address`. */
  owns(address: string): boolean;
  /** Calls `listener` after each change of the members, until disposed. */
  onChange(listener: () => void): Disposable;
};

export type JoinedPlacement = Placement & {
  /** Whether the group is seen with this instance in it. */
  isMember(): boolean;
};

/** Everything is mine: for one instance without memberships, and for tests. */
export const alone: Placement = {
  owns: () => true,
  onChange: () => ({ [Symbol.dispose]: () => undefined }),
};

/** How long to wait for one's own membership to be seen. */
const joinMaxMs = 30_000;

export type PlacementOptions = {
  readonly memberships: Memberships;
  readonly member: Member;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts: the membership is released at once, and nothing is owned any more. */
  readonly signal: AbortSignal;
};

/**
 * Joins the member's group and follows it. Owns nothing before the group has been seen with this
 * member in it, nor while its lease is lost.
 *
 * @throws {Error} when the membership was not seen within 30 s
 */
export async function joinPlacement(options: PlacementOptions): Promise<JoinedPlacement> {
  const { memberships, member, clock, log, signal } = options;
  const hash = await addressHash();
  const listeners = new Set<{ readonly listener: () => void }>();
  const joined = Promise.withResolvers<void>();
  let members: readonly string[] = [];

  const changed = (living: readonly Member[]) => {
    if (signal.aborted) return;
    members = living.map(({ id }) => id);
    log.info({ members }, "members changed");
    if (members.includes(member.id)) joined.resolve();
    for (const { listener } of listeners) listener();
  };
  signal.addEventListener("abort", () => {
    members = [];
    joined.resolve();
  });
  for (const running of [
    memberships.follow(member.group, changed, signal),
    memberships.announce(member, signal),
  ]) {
    running.catch((error: unknown) => {
      log.error({ err: error }, "the membership failed");
      joined.reject(error);
    });
  }
  using _late = clock.after(joinMaxMs, () =>
    joined.reject(new Error("the membership was not seen")),
  );
  await joined.promise;
  return {
    isMember: () => members.includes(member.id),
    owns: (address) => members.length > 0 && ownerOf(address, members, hash) === member.id,
    onChange(listener) {
      const entry = { listener };
      listeners.add(entry);
      return { [Symbol.dispose]: () => void listeners.delete(entry) };
    },
  };
}

export type AddressHash = (text: string) => number;

let loading: ReturnType<typeof xxhash> | undefined;

/** Loaded once for the process: whoever asks again waits for nothing. */
export async function addressHash(): Promise<AddressHash> {
  const library = await (loading ??= xxhash());
  return (text) => library.h32(text);
}

/** The member with the highest hash of itself and `address`; ties go to the smaller id. */
export function ownerOf(
  address: string,
  members: readonly string[],
  hash: AddressHash,
): string | undefined {
  let owner: string | undefined;
  let highest = -1;
  for (const member of members) {
    const weight = hash(`${member}\n${address}`);
    const wins = weight > highest || (weight === highest && owner !== undefined && member < owner);
    if (!wins) continue;
    owner = member;
    highest = weight;
  }
  return owner;
}
