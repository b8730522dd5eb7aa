/** The packet rules that Docker's engine makes, and taking them away again when it has ended. */
import * as z from "zod";
import { run, which } from "./run.ts";

/** What was there before the engine: per family its tables, each with its chains and policies. */
export const firewall = z.record(
  z.enum(["iptables", "ip6tables"]),
  z.record(z.string(), z.record(z.string(), z.string())),
);
export type Firewall = z.output<typeof firewall>;

const families = ["iptables", "ip6tables"] as const;
type Family = (typeof families)[number];

export async function firewallNow(): Promise<Firewall> {
  const [v4, v6] = await Promise.all(families.map(chainsOf));
  return { iptables: v4 ?? {}, ip6tables: v6 ?? {} };
}

/** Removes the engine's chains, the rules that mention them, and tables that are empty then. */
export async function restoreFirewall(before: Firewall): Promise<void> {
  for (const family of families) {
    if (which(family) === undefined) continue;
    for (const table of Object.keys(await chainsOf(family))) {
      await restoreTable(family, table, before[family][table]);
    }
  }
}

async function restoreTable(
  family: Family,
  table: string,
  before: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  const act = (...args: string[]) => run(family, ["-w", "-t", table, ...args]);
  const rules = (await act("-S")).split("\n");
  const engines = rules.filter((rule) => rule.startsWith("-A ") && /DOCKER|docker0/.test(rule));
  for (const rule of engines) {
    const words = rule.slice("-A ".length).match(/"[^"]*"|\S+/g) ?? [];
    await act("-D", ...words.map((word) => word.replaceAll('"', "")));
  }
  const chains = rules.flatMap((rule) => /^-N (DOCKER\S*)/.exec(rule)?.[1] ?? []);
  for (const chain of chains) await act("-F", chain);
  for (const chain of chains) await act("-X", chain);

  for (const [chain, policy] of Object.entries(before ?? {})) {
    if (policy !== "-") await act("-P", chain, policy);
  }
  const left = (await act("-S")).split("\n").filter((rule) => /^-[AN] /.test(rule));
  if (before === undefined && left.length === 0 && which("nft") !== undefined) {
    const nftFamily = family === "iptables" ? "ip" : "ip6";
    await run("nft", ["delete", "table", nftFamily, table]).catch(() => "it is of the older kind");
  }
}

/** Tables of a family, each with its chains' policies (`-` for those that have none). */
async function chainsOf(family: Family): Promise<Record<string, Record<string, string>>> {
  if (which(`${family}-save`) === undefined) return {};
  const saved = await run(`${family}-save`, []);
  return Object.fromEntries(
    saved
      .split(/^\*/m)
      .slice(1)
      .map((text) => {
        const chains = [...text.matchAll(/^:(\S+) (\S+)/gm)];
        return [
          text.split("\n")[0] ?? "",
          Object.fromEntries(chains.map(([, n = "", p = ""]) => [n, p])),
        ];
      }),
  );
}
