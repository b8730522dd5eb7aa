/** Services by the kernel's packet rules: one table `ip berth_<cluster>`, one transaction an update. */
import { type Dataplane, DataplaneFailed } from "./dataplane.ts";
import { changeScript, replaceScript, type Rules, rulesOf } from "./nft-rules.ts";
import type { RunCommand } from "./run-command.ts";

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

/**
 * The table outlives this process: data flows on while no lb runs, and the next one replaces the
 * table's content in one transaction.
 */
export function nftables({ clusterId, run }: NftablesOptions): Dataplane {
  const table = `berth_${clusterId}`;
  /** `asListed` is read beside what follows, as reading 10,000 elements takes 70 ms; it never rejects. */
  let current: { readonly rules: Rules; readonly asListed: Promise<string> } | undefined;

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
      current = { rules, asListed: listed() };
    },
    async repair() {
      if (current === undefined) return false;
      const [expected, found] = [await current.asListed, await listed()];
      if (expected !== "" && expected === found) return false;
      await load(replaceScript(table, current.rules));
      current = { rules: current.rules, asListed: listed() };
      return true;
    },
    async [Symbol.asyncDispose]() {
      await current?.asListed;
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

  /** The table as the kernel has it, without what traffic changes and without handles. */
  async function listed(): Promise<string> {
    try {
      const text = await run(["nft", "-s", "-j", "list", "table", "ip", table]);
      return JSON.stringify(JSON.parse(text), withoutTraffic);
    } catch {
      return ""; // No such table: differs from whatever was applied.
    }
  }
}

function withoutTraffic(key: string, value: unknown): unknown {
  if (key === "handle") return undefined;
  const isAffinity =
    typeof value === "object" && value !== null && "elem" in value && "timeout" in value;
  return isAffinity ? { ...value, elem: undefined } : value;
}
