/**
 * A plan as nftables objects, and the script that turns one state of the table into the next. Pure.
 *
 * A Service's port is a chain, found through maps by address, protocol and port, so a packet's cost
 * does not grow with the number of Services; only a connection's first packet comes here at all.
 */
import { createHash } from "node:crypto";
import type { Backend, Plan, Route } from "../routes/plan.ts";

/** What of the table depends on the plan: by name, comparable as text. */
export type Rules = {
  /** Chain → its rules. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Dynamic sets, one for each backend of a Service with affinity: name → timeout in seconds. */
  readonly affinities: ReadonlyMap<string, number>;
  /** `<map or set>` → element → its data, empty in a set. */
  readonly elements: ReadonlyMap<Holder, ReadonlyMap<string, string>>;
};

const holders = {
  cluster_routes: "map type ipv4_addr . inet_proto . inet_service : verdict",
  external_routes: "map type ipv4_addr . inet_proto . inet_service : verdict",
  node_ports: "map type inet_proto . inet_service : verdict",
  refused: "set type ipv4_addr . inet_proto . inet_service",
  refused_node_ports: "set type inet_proto . inet_service",
  to_itself: "set type ipv4_addr . ipv4_addr",
  service_range: "set type ipv4_addr ; flags interval",
  pod_range: "set type ipv4_addr ; flags interval",
  local_pod_ranges: "set type ipv4_addr ; flags interval",
} as const;
type Holder = keyof typeof holders;
const holderNames = Object.keys(holders) as Holder[];

export function rulesOf(plan: Plan): Rules {
  const chains = new Map<string, readonly string[]>();
  const affinities = new Map<string, number>();
  const elements = new Map(holderNames.map((name) => [name, new Map<string, string>()] as const));
  elements.get("service_range")?.set(plan.serviceCIDR, "");
  elements.get("pod_range")?.set(plan.podCIDR, "");
  for (const range of plan.localPodCIDRs) elements.get("local_pod_ranges")?.set(range, "");
  for (const route of plan.routes) {
    const own = remembered(route);
    for (const [name, rules] of own.chains) chains.set(name, rules);
    for (const [name, timeout] of own.affinities) affinities.set(name, timeout);
    for (const [holder, element, data] of own.elements) elements.get(holder)?.set(element, data);
  }
  return { chains, affinities, elements };
}

/** A route's share of the table. */
type Share = {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly affinities: ReadonlyMap<string, number>;
  readonly elements: readonly (readonly [holder: Holder, element: string, data: string])[];
};
/** A plan keeps the routes that did not change: their shares need not be made again. */
const shares = new WeakMap<Route, Share>();

function remembered(route: Route): Share {
  const share = shares.get(route) ?? shareOf(route);
  shares.set(route, share);
  return share;
}

function shareOf(route: Route): Share {
  const chains = new Map<string, readonly string[]>();
  const affinities = new Map<string, number>();
  const elements: [Holder, string, string][] = [];
  const proto = route.protocol.toLowerCase();
  const inside = chainsOf(route, "in", route.inside, chains, affinities);
  const outside = sameBackends(route)
    ? inside
    : outsideChain(
        route,
        inside,
        chainsOf(route, "out", route.outside, chains, affinities),
        chains,
      );
  for (const { address } of [...route.inside, ...route.outside]) {
    elements.push(["to_itself", `${address} . ${address}`, ""]);
  }
  const at = (address: string) => `${address} . ${proto} . ${route.port}`;
  reach("cluster_routes", "refused", at(route.clusterAddress), inside);
  for (const address of route.externalAddresses) {
    reach("external_routes", "refused", at(address), outside);
  }
  if (route.nodePort !== undefined) {
    reach("node_ports", "refused_node_ports", `${proto} . ${route.nodePort}`, outside);
  }
  return { chains, affinities, elements };

  function reach(map: Holder, refused: Holder, element: string, chain: string | undefined) {
    elements.push(chain === undefined ? [refused, element, ""] : [map, element, `goto ${chain}`]);
  }
}

/** The chain that picks among `backends`; undefined when there are none. */
function chainsOf(
  route: Route,
  side: "in" | "out",
  backends: readonly Backend[],
  chains: Map<string, readonly string[]>,
  affinities: Map<string, number>,
): string | undefined {
  if (backends.length === 0) return undefined;
  const name = `${side}_${digest(route.key)}`;
  const l4 = `meta l4proto ${route.protocol.toLowerCase()}`;
  const { affinitySeconds } = route;
  if (affinitySeconds === undefined) {
    const choices = backends.map(({ address, port }, nth) => `${nth} : ${address} . ${port}`);
    chains.set(name, [
      `${l4} dnat to numgen random mod ${backends.length} map { ${choices.join(", ")} }`,
    ]);
    return name;
  }
  const ends = backends.map(({ address, port }) => {
    const id = digest(`${route.key} ${side} ${address}:${port}`);
    affinities.set(`aff_${id}`, affinitySeconds);
    chains.set(`ep_${id}`, [`update @aff_${id} { ip saddr }`, `${l4} dnat to ${address}:${port}`]);
    return id;
  });
  const choices = ends.map((id, nth) => `${nth} : goto ep_${id}`);
  chains.set(name, [
    ...ends.map((id) => `ip saddr @aff_${id} goto ep_${id}`),
    `numgen random mod ${ends.length} vmap { ${choices.join(", ")} }`,
  ]);
  return name;
}

/**
 * With different backends for clients from outside (`externalTrafficPolicy: Local`), those from the
 * cluster, pods and this machine itself, still reach all of them, as with kube-proxy.
 */
function outsideChain(
  route: Route,
  inside: string | undefined,
  outside: string | undefined,
  chains: Map<string, readonly string[]>,
): string | undefined {
  if (inside === undefined) return outside;
  const name = `split_${digest(route.key)}`;
  chains.set(name, [
    `ip saddr @pod_range goto ${inside}`,
    `fib saddr type local goto ${inside}`,
    ...(outside === undefined ? [] : [`goto ${outside}`]),
  ]);
  return name;
}

const sameBackends = ({ inside, outside }: Route) =>
  JSON.stringify(inside) === JSON.stringify(outside);

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** Replaces the whole table, whatever it holds, in one transaction. */
export function replaceScript(table: string, rules: Rules): string {
  const t = `ip ${table}`;
  const skeleton = [
    `add table ${t}`,
    `delete table ${t}`,
    `add table ${t}`,
    ...holderNames.map((name) => {
      const [what = "", ...type] = holders[name].split(" ");
      return `add ${what} ${t} ${name} { ${type.join(" ")} ; }`;
    }),
    ...Object.entries(fixedChains).flatMap(([name, { base, rules: fixed }]) => [
      `add chain ${t} ${name}${base === undefined ? "" : ` { ${base} ; policy accept ; }`}`,
      ...fixed.map((rule) => `add rule ${t} ${name} ${rule}`),
    ]),
  ];
  return [...skeleton, changeScript(table, nothing, rules)].join("\n");
}

/** The table's fixed part: what is looked up where. Ours come before Docker's of the same hook. */
const fixedChains: Readonly<Record<string, { base?: string; rules: readonly string[] }>> = {
  routes: {
    rules: [
      "ip daddr . meta l4proto . th dport vmap @cluster_routes",
      "ip daddr . meta l4proto . th dport vmap @external_routes",
      "fib daddr type local meta l4proto . th dport vmap @node_ports",
    ],
  },
  prerouting: { base: "type nat hook prerouting priority -105", rules: ["jump routes"] },
  output_nat: { base: "type nat hook output priority -105", rules: ["jump routes"] },
  postrouting: {
    base: "type nat hook postrouting priority 95",
    rules: [
      // A pod that reached itself must hear the answer from the machine, not from itself.
      "ct status dnat ip saddr . ip daddr @to_itself masquerade",
      'ct status dnat ip saddr 127.0.0.0/8 oifname != "lo" masquerade',
      // From outside to a pod of another machine: its answer must come back through here.
      "ct status dnat ip daddr @pod_range ip daddr != @local_pod_ranges ip saddr != @pod_range fib saddr type != local masquerade",
    ],
  },
  refuse: { rules: ["meta l4proto tcp reject with tcp reset", "reject"] },
  refusals: {
    rules: [
      "ct state established,related return",
      "ip daddr . meta l4proto . th dport @refused goto refuse",
      "fib daddr type local meta l4proto . th dport @refused_node_ports goto refuse",
      // A ClusterIP that nobody claims: without this it would leave by the default route.
      "ip daddr @service_range fib daddr type != local goto refuse",
    ],
  },
  input: { base: "type filter hook input priority -5", rules: ["jump refusals"] },
  forward: { base: "type filter hook forward priority -5", rules: ["jump refusals"] },
  output: { base: "type filter hook output priority -5", rules: ["jump refusals"] },
};

/** How many rules each chain must have and how many elements each set: what a repair looks for. */
export function shapeOf(rules: Rules): string {
  const fixed = Object.entries(fixedChains).map(
    ([name, chain]) => [name, chain.rules.length] as const,
  );
  const made = [...rules.chains].map(([name, own]) => [name, own.length] as const);
  const held = [...rules.elements]
    .filter(([name]) => !holders[name].includes("flags"))
    .map(([name, elements]) => [name, elements.size] as const);
  return shapeText(new Map<string, number>([...fixed, ...made, ...held]));
}

export const shapeText = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .map(([name, count]) => `${name} ${count}`)
    .toSorted((one, other) => (one < other ? -1 : 1))
    .join("\n");

const nothing: Rules = { chains: new Map(), affinities: new Map(), elements: new Map() };

/** What turns `before` into `after`, in one transaction; empty when they are equal. */
export function changeScript(table: string, before: Rules, after: Rules): string {
  const t = `ip ${table}`;
  const born = [...after.chains.keys()].filter((name) => !before.chains.has(name));
  const gone = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  const changed = [...after.chains].filter(([name, rules]) => {
    const old = before.chains.get(name);
    return old !== undefined && old !== rules && old.join("\n") !== rules.join("\n");
  });
  const timed = (rules: Rules) =>
    [...rules.affinities].map(([name, timeout]) => `${name} ${timeout}`);
  const [setsBefore, setsAfter] = [new Set(timed(before)), new Set(timed(after))];
  const freed = [...setsBefore.difference(setsAfter)].map((text) => text.split(" ")[0] ?? "");
  // A set whose timeout changes is made anew: every chain that names it is written again.
  const renewed = freed.filter((name) => after.affinities.has(name));
  const rewritten = new Set([...born, ...changed.map(([name]) => name)]);
  for (const [name, rules] of after.chains) {
    if (renewed.some((set) => rules.some((rule) => rule.includes(`@${set} `)))) rewritten.add(name);
  }
  const moves = holderNames.map((holder) => movesOf(holder, before, after));

  return [
    ...born.map((name) => `add chain ${t} ${name}`),
    ...moves.flatMap(({ holder, out }) => batches(out, `delete element ${t} ${holder}`)),
    ...[...gone, ...rewritten]
      .filter((name) => before.chains.has(name))
      .map((name) => `flush chain ${t} ${name}`),
    ...freed.map((name) => `delete set ${t} ${name}`),
    ...[...setsAfter.difference(setsBefore)].map((text) => {
      const [name = "", seconds = ""] = text.split(" ");
      return `add set ${t} ${name} { type ipv4_addr ; flags dynamic,timeout ; timeout ${seconds}s ; size 65535 ; }`;
    }),
    ...[...rewritten].flatMap((name) =>
      (after.chains.get(name) ?? []).map((rule) => `add rule ${t} ${name} ${rule}`),
    ),
    ...moves.flatMap(({ holder, into }) => batches(into, `add element ${t} ${holder}`)),
    ...gone.map((name) => `delete chain ${t} ${name}`),
  ].join("\n");
}

function movesOf(holder: Holder, before: Rules, after: Rules) {
  const had = before.elements.get(holder) ?? new Map<string, string>();
  const has = after.elements.get(holder) ?? new Map<string, string>();
  const text = ([element, data]: [string, string]) =>
    data === "" ? element : `${element} : ${data}`;
  return {
    holder,
    out: [...had].filter(([element, data]) => has.get(element) !== data).map(text),
    into: [...has].filter(([element, data]) => had.get(element) !== data).map(text),
  };
}

/** One command for up to 1,000 elements: commands are dear, very long lines are too. */
function batches(elements: readonly string[], command: string): string[] {
  return Array.from({ length: Math.ceil(elements.length / 1_000) }, (_, nth) => {
    const some = elements.slice(nth * 1_000, (nth + 1) * 1_000);
    return `${command} { ${some.join(", ")} }`;
  });
}
