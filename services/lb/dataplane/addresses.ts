import type { RunCommand } from "../../../libs/machine/run-command.ts";

/**
 * Holds addresses on `lo`, labelled with the cluster's id, so that whoever cleans up finds them.
 * They outlive this process.
 */
export interface Addresses {
  /** Makes the labelled addresses equal `wanted`. */
  hold(wanted: Iterable<string>): Promise<void>;
}

/** The label of one cluster's addresses; an interface's label has at most 15 characters. */
export const labelOf = (clusterId: string): string => `lo:${clusterId}`;

export function addressesOnLo(clusterId: string, run: RunCommand): Addresses {
  const label = labelOf(clusterId);
  return {
    async hold(wanted) {
      const listed = await run(["ip", "-j", "-4", "addr", "show", "dev", "lo", "label", label]);
      const held = new Set(heldIn(listed, label));
      const target = new Set(wanted);
      const changes = [
        ...[...held.difference(target)].map((address) => `addr del ${address}/32 dev lo`),
        ...[...target.difference(held)].map(
          (address) => `addr add ${address}/32 dev lo label ${label}`,
        ),
      ];
      if (changes.length > 0) await run(["ip", "-batch", "-"], `${changes.join("\n")}\n`);
    },
  };
}

type Listed = readonly { addr_info?: readonly { local?: string; label?: string }[] }[];

function heldIn(json: string, label: string): string[] {
  const interfaces = JSON.parse(json === "" ? "[]" : json) as Listed; // What `ip -j addr` prints.
  return interfaces
    .flatMap(({ addr_info: found = [] }) => found)
    .flatMap((at) => (at.label === label ? (at.local ?? []) : []));
}
