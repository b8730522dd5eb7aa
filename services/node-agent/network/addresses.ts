/** The addresses of one node's pods: each is one pod's until it is given back. */
export interface Addresses {
  /** The pod's address, the same as long as it holds one; undefined when all are taken. */
  take(uid: string): string | undefined;
  /** A pod that is there already has it. */
  adopt(uid: string, address: string): void;
  release(uid: string): void;
  of(uid: string): string | undefined;
}

/**
 * Addresses go round, so that one that was given back rests as long as possible. The first of the
 * range is the network's, the second the bridge's, the last the broadcast's.
 */
export function addressesIn(podCIDR: string): Addresses {
  const [text = "", bits = "24"] = podCIDR.split("/");
  const first = text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(bits));
  const held = new Map<string, string>();
  const taken = new Set<string>();
  let next = 2;
  return {
    take(uid) {
      const has = held.get(uid);
      if (has !== undefined) return has;
      for (let tried = 0; tried < size - 3; tried += 1) {
        const address = addressText(first + next);
        next = next + 1 > size - 2 ? 2 : next + 1;
        if (taken.has(address)) continue;
        held.set(uid, address);
        taken.add(address);
        return address;
      }
      return undefined;
    },
    adopt(uid, address) {
      held.set(uid, address);
      taken.add(address);
    },
    release(uid) {
      const address = held.get(uid);
      held.delete(uid);
      if (address !== undefined) taken.delete(address);
    },
    of: (uid) => held.get(uid),
  };
}

/** The bridge's own address. */
export function gatewayOf(podCIDR: string): string {
  const [text = ""] = podCIDR.split("/");
  return addressText(text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0) + 1);
}

/** Which of the cluster's ranges this is: 0 for its first. */
export function ordinalOf(podCIDR: string, clusterCIDR: string): number {
  const value = (cidr: string) =>
    (cidr.split("/")[0] ?? "").split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return Math.floor(
    (value(podCIDR) - value(clusterCIDR)) / 2 ** (32 - Number(podCIDR.split("/")[1])),
  );
}

const addressText = (value: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
