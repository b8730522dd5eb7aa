import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Plan, Route } from "../routes/plan.ts";
import { changeScript, replaceScript, rulesOf } from "./nft-rules.ts";

const aPlan = (routes: readonly Route[]): Plan => ({
  serviceCIDR: "10.96.0.0/16",
  podCIDR: "10.244.0.0/16",
  localPodCIDRs: [],
  routes,
});
const backends = fc
  .uniqueArray(fc.integer({ min: 2, max: 5 }), { maxLength: 3 })
  .map((octets) => octets.map((octet) => ({ address: `10.244.0.${octet}`, port: 8080 })));
const plans = fc
  .uniqueArray(
    fc.record({
      nth: fc.integer({ min: 1, max: 6 }),
      inside: backends,
      outside: fc.option(backends, { nil: undefined }),
      affinitySeconds: fc.constantFrom(undefined, 60, 120),
    }),
    { selector: ({ nth }) => nth, maxLength: 6 },
  )
  .map((specs) =>
    aPlan(
      specs.map(({ nth, inside, outside, affinitySeconds }) => ({
        key: `default/s${nth}/http/TCP`,
        protocol: "TCP",
        clusterAddress: `10.96.0.${nth}`,
        externalAddresses: [],
        port: 80,
        nodePort: 30_000 + nth,
        inside,
        outside: outside ?? inside,
        affinitySeconds,
      })),
    ),
  );

describe("the change from one table to the next", () => {
  test("says nothing when nothing changed", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        expect(changeScript("t", rulesOf(plan), rulesOf(plan))).toBe("");
      }),
    );
  });

  test("ends, from any table, where the replacement begins anew", () => {
    fc.assert(
      fc.property(plans, plans, (one, other) => {
        const changed = kernel();
        changed.run(replaceScript("t", rulesOf(one)));
        changed.run(changeScript("t", rulesOf(one), rulesOf(other)));
        const replaced = kernel();
        replaced.run(replaceScript("t", rulesOf(other)));
        expect(changed.state()).toEqual(replaced.state());
      }),
    );
  });

  test("touches only the chain of the Service that changed", () => {
    const route = (nth: number, port: number): Route => ({
      key: `default/s${nth}/http/TCP`,
      protocol: "TCP",
      clusterAddress: `10.96.0.${nth}`,
      externalAddresses: [],
      port: 80,
      nodePort: undefined,
      inside: [{ address: "10.244.0.2", port }],
      outside: [{ address: "10.244.0.2", port }],
      affinitySeconds: undefined,
    });
    const before = rulesOf(aPlan([route(1, 80), route(2, 80)]));
    const script = changeScript("t", before, rulesOf(aPlan([route(1, 80), route(2, 81)])));
    expect(script.split("\n").map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "flush chain",
      "add rule",
    ]);
  });
});

/** The part of nftables that our scripts use, as strict as the kernel about what refers to what. */
function kernel() {
  let chains = new Map<string, string[]>();
  let sets = new Map<string, { type: string; elements: Map<string, string> }>();
  const namesIn = (rule: string) =>
    [...rule.matchAll(/(?:goto|jump) (\w+)/g)].map(([, name = ""]) => name);
  const setsIn = (rule: string) => [...rule.matchAll(/@(\w+)/g)].map(([, name = ""]) => name);
  const must = (holds: boolean, line: string) => {
    if (!holds) throw new Error(`refused: ${line}`);
  };
  return {
    run(script: string) {
      for (const line of script.split("\n").filter((text) => text !== "")) {
        const [verb = "", what = "", , , name = "", ...rest] = line.split(" ");
        const body = rest.join(" ");
        switch (`${verb} ${what}`) {
          case "add table":
            break;
          case "delete table":
            [chains, sets] = [new Map(), new Map()];
            break;
          case "add chain":
            chains.set(name, chains.get(name) ?? []);
            break;
          case "flush chain":
            must(chains.has(name), line);
            chains.set(name, []);
            break;
          case "delete chain":
            must(chains.get(name)?.length === 0, line);
            must(![...chains.values()].flat().some((rule) => namesIn(rule).includes(name)), line);
            must(
              ![...sets.values()].some(({ elements }) =>
                [...elements.values()].includes(`goto ${name}`),
              ),
              line,
            );
            chains.delete(name);
            break;
          case "add rule":
            must(
              namesIn(body).every((chain) => chains.has(chain)),
              line,
            );
            must(
              setsIn(body).every((set) => sets.has(set)),
              line,
            );
            chains.get(name)?.push(body);
            break;
          case "add set":
          case "add map":
            must(!sets.has(name), line);
            sets.set(name, { type: body, elements: new Map() });
            break;
          case "delete set":
            must(sets.has(name), line);
            must(![...chains.values()].flat().some((rule) => setsIn(rule).includes(name)), line);
            sets.delete(name);
            break;
          case "add element":
          case "delete element":
            for (const element of body.replace(/^\{ | \}$/g, "").split(", ")) {
              const [key = "", data = ""] = element.split(" : ");
              const held = sets.get(name)?.elements;
              must(held?.has(key) === (verb === "delete"), line);
              must(
                namesIn(data).every((chain) => chains.has(chain)),
                line,
              );
              if (verb === "add") held?.set(key, data);
              else held?.delete(key);
            }
            break;
          default:
            throw new Error(`unknown: ${line}`);
        }
      }
    },
    state: () => ({ chains, sets }),
  };
}
