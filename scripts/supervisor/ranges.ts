/** The address ranges of a cluster: they stay what they were when its state was made. */
import { rangeOf } from "../../libs/model/address-range.ts";

export type Ranges = { readonly podCIDR: string; readonly serviceCIDR: string };

const defaults: Ranges = { podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/16" };
const options = { podCIDR: "--pod-cidr", serviceCIDR: "--service-cidr" } as const;

export class RangesRefused extends Error {
  override readonly name = "RangesRefused";
}

type Some = { readonly [Key in keyof Ranges]?: Ranges[Key] | undefined };

/**
 * What a cluster uses that has `recorded` and is started with `named`.
 *
 * @throws {RangesRefused} when they differ, or the two ranges overlap
 */
export function rangesOf(recorded: Some, named: Some): Ranges {
  const choose = (key: keyof Ranges): string => {
    const [had, wanted] = [recorded[key], named[key]];
    if (had !== undefined && wanted !== undefined && had !== wanted) {
      throw new RangesRefused(
        `this cluster was made with ${options[key]} ${had}, and pods and Services have addresses of ` +
          `it: leave the option out, or make a new cluster with --fresh or another --dir`,
      );
    }
    return had ?? wanted ?? defaults[key];
  };
  const chosen = { podCIDR: choose("podCIDR"), serviceCIDR: choose("serviceCIDR") };
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
