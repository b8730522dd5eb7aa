/** The address ranges of a cluster: they stay what they were when its state was made. */
import { nodeRangesIn, rangeOf } from "../../libs/model/address-range.ts";

export type Ranges = { readonly podCIDR: string; readonly serviceCIDR: string };

const defaults: Ranges = { podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/16" };
/** Room for 16,384 nodes, each with 256 addresses; no network of a home or an office lies in it (RFC 6598). */
export const manyNodesCIDR = "100.64.0.0/10";
/** A /24 a node of the default range, and some to spare: nodes come and go. */
const nodesOfDefault = 200;
const options = { podCIDR: "--pod-cidr", serviceCIDR: "--service-cidr" } as const;

export class RangesRefused extends Error {
  override readonly name = "RangesRefused";
}

type Some = { readonly [Key in keyof Ranges]?: Ranges[Key] | undefined };

/**
 * What a cluster uses that has `recorded` and is started with `named`, for so many nodes.
 *
 * @throws {RangesRefused} when they differ, the two ranges overlap, or there are more nodes than ranges
 * for them
 */
export function rangesOf(recorded: Some, named: Some, nodes = 1): Ranges {
  const usual = nodes > nodesOfDefault ? { ...defaults, podCIDR: manyNodesCIDR } : defaults;
  const choose = (key: keyof Ranges): string => {
    const [had, wanted] = [recorded[key], named[key]];
    if (had !== undefined && wanted !== undefined && had !== wanted) {
      throw new RangesRefused(
        `this cluster was made with ${options[key]} ${had}, and pods and Services have addresses of ` +
          `it: leave the option out, or make a new cluster with --fresh or another --dir`,
      );
    }
    return had ?? wanted ?? usual[key];
  };
  const chosen = { podCIDR: choose("podCIDR"), serviceCIDR: choose("serviceCIDR") };
  const room = nodeRangesIn(chosen.podCIDR).count;
  if (nodes > room) {
    throw new RangesRefused(
      `the pods' addresses, ${chosen.podCIDR}, are enough for ${room} nodes and not for ${nodes}: choose ` +
        `a larger range with --pod-cidr, such as ${manyNodesCIDR}, for a cluster made anew with --fresh`,
    );
  }
  if (overlap(chosen.podCIDR, chosen.serviceCIDR)) {
    throw new RangesRefused(
      `--pod-cidr ${chosen.podCIDR} and --service-cidr ${chosen.serviceCIDR} overlap`,
    );
  }
  return chosen;
}

/** Whether two IPv4 ranges share an address. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.first < b.first + b.size && b.first < a.first + a.size;
}
