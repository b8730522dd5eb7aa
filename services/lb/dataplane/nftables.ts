/** Services by the kernel's packet rules: one table `ip berth_<cluster>`, one transaction an update. */
import { type Dataplane, DataplaneFailed } from "./dataplane.ts";
import {
  changeScript,
  replaceScript,
  type Rules,
  rulesOf,
  shapeOf,
  shapeText,
} from "./nft-rules.ts";
import type { RunCommand } from "../../../libs/machine/run-command.ts";

export type NftablesOptions = {
  readonly clusterId: string;
  /** Runs a program to its end with `input`; throws when it fails. */
  readonly run: RunCommand;
};

/** Whether `nft` works here: it is there, and may change this network namespace. */
export async function nftablesWork(run: RunCommand): Promise<boolean> {
  try {
    await run(["nft", "list", "tables"]);
    return true;
  } catch {
    return false; // Not there or not permitted: either way there is nothing to use.
  }
}

/** Takes away what an lb with this dataplane left here, if there is any. */
export async function removeTable(clusterId: string, run: RunCommand): Promise<void> {
  try {
    await run(["nft", "delete", "table", "ip", tableOf(clusterId)]);
  } catch {
    // There is none, or no `nft`: nothing is in the way.
  }
}

const tableOf = (clusterId: string) => `berth_${clusterId}`;

/**
 * The table outlives this process: data flows on while no lb runs, and the next one replaces the
 * table's content in one transaction.
 */
export function nftables({ clusterId, run }: NftablesOptions): Dataplane {
  const table = tableOf(clusterId);
  /** `asListed`: the table as it was found whole for the first time since the last change. */
  let current: { readonly rules: Rules; asListed: string | undefined } | undefined;

  return {
    name: "nftables",
    async apply(plan) {
      const rules = rulesOf(plan);
      const script =
        current === undefined
          ? replaceScript(table, rules)
          : changeScript(table, current.rules, rules);
      if (script === "" && current !== undefined) return;
      try {
        await load(script);
      } catch (cause) {
        if (current === undefined) throw cause;
        await load(replaceScript(table, rules)); // Somebody changed the table: what the diff rests on is gone.
      }
      current = { rules, asListed: undefined };
    },
    async repair() {
      if (current === undefined) return false;
      const found = await listed();
      const isWhole = found !== undefined && shapeListed(found) === shapeOf(current.rules);
      const text = JSON.stringify(found, withoutTraffic);
      if (isWhole && (current.asListed ?? text) === text) {
        current.asListed = text;
        return false;
      }
      await load(replaceScript(table, current.rules));
      current.asListed = undefined;
      return true;
    },
    async [Symbol.asyncDispose]() {
      current = undefined;
    },
  };

  async function load(script: string): Promise<void> {
    try {
      await run(["nft", "-f", "-"], `${script}\n`);
    } catch (cause) {
      throw new DataplaneFailed("nft refused the rules", { cause });
    }
  }

  /** The table as the kernel has it; undefined when there is none. */
  async function listed(): Promise<Listing | undefined> {
    try {
      // The program's own format, so wide that nothing is assumed but what `shapeListed` reads.
      return JSON.parse(await run(["nft", "-s", "-j", "list", "table", "ip", table])) as Listing;
    } catch {
      return undefined; // No such table, or no listing of it: it is made anew.
    }
  }
}

type Listing = {
  readonly nftables: readonly {
    readonly chain?: { readonly name: string };
    readonly rule?: { readonly chain: string };
    readonly set?: ListedSet;
    readonly map?: ListedSet;
  }[];
};
type ListedSet = {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly elem?: readonly unknown[];
};

/** As `shapeOf` has it: how many rules each chain has, and how many elements each set. */
function shapeListed({ nftables: items }: Listing): string {
  const counts = new Map<string, number>();
  for (const { chain, rule, set, map } of items) {
    if (chain !== undefined) counts.set(chain.name, counts.get(chain.name) ?? 0);
    if (rule !== undefined) counts.set(rule.chain, (counts.get(rule.chain) ?? 0) + 1);
    const held = set ?? map;
    const isFixed = held !== undefined && (held.flags ?? []).length === 0;
    if (isFixed) counts.set(held.name, (held.elem ?? []).length);
  }
  return shapeText(counts);
}

/** Handles differ after each change, and sets with affinities fill by traffic. */
function withoutTraffic(key: string, value: unknown): unknown {
  if (key === "handle") return undefined;
  const isAffinity =
    typeof value === "object" && value !== null && "elem" in value && "timeout" in value;
  return isAffinity ? { ...value, elem: undefined } : value;
}
