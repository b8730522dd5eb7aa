/** What would let a pod be placed that no node takes, in words. */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Refusal } from "./explain.ts";
import { affinityRefusal, antiAffinityRefusal } from "./inter-pod.ts";
import { lacking } from "./resources.ts";
import { demandsOf } from "./spread.ts";

type Help = (
  claim: Claim,
  refused: readonly Refusal[],
  rooms: readonly Room[],
) => readonly string[];

/** A sentence or more for each rule that refuses some node, in the rules' order. */
export function helpFor(
  claim: Claim,
  refusals: readonly Refusal[],
  rooms: readonly Room[],
): readonly string[] {
  const byRule = Map.groupBy(refusals, ({ rule }) => rule);
  return [...byRule].flatMap(([rule, refused]) => helps[rule]?.(claim, refused, rooms) ?? []);
}

const helps: Readonly<Record<string, Help>> = {
  NodeUnschedulable: (_, refused) => [
    `${namesOf(refused)} may take new pods again after kubectl uncordon`,
  ],
  NodeReady: (_, refused) => [`${namesOf(refused)} may take new pods when ready again`],
  TaintToleration: (_, refused) => {
    const byTaint = Map.groupBy(refused, ({ message }) => /\{.*\}/.exec(message)?.[0] ?? message);
    return [...byTaint].map(
      ([taint, of]) => `a toleration of ${taint} opens ${namesOf(of)}, as does removing the taint`,
    );
  },
  NodeAffinity: ({ nodeSelector, nodeTerms }, refused) => {
    const labels = Object.entries(nodeSelector).map(([key, value]) => `${key}=${value}`);
    const wanted = [
      ...(labels.length > 0 ? [`the labels ${labels.join(", ")}`] : []),
      ...(nodeTerms === undefined ? [] : ["what its required node affinity asks for"]),
    ];
    return [`${namesOf(refused)} would need ${wanted.join(" and ")}`];
  },
  NodePorts: ({ hostPorts }, refused) => [
    `of ${hostPorts.map(portOf).join(", ")} some is taken on ${namesOf(refused)}: without hostPort, or with another one, there is no such limit`,
  ],
  NodeResourcesFit: (claim, refused, rooms) =>
    Object.keys(claim.requests)
      .filter((name) => refused.some(({ message }) => message === lacking(name)))
      .map((name) => resourceHelp(name, claim, rooms)),
  VolumeRestrictions: () => [
    "its ReadWriteOncePod claim is free when the pod that uses it has gone",
  ],
  VolumeBinding: ({ volumes }, refused) =>
    volumes.problem === undefined
      ? [`its volumes cannot be had on ${namesOf(refused)}: they are, or may be made, elsewhere`]
      : [`its claims to storage come first: ${volumes.problem}`],
  PodTopologySpread: (claim, refused) =>
    demandsOf(claim).map(
      ({ topologyKey, maxSkew }) =>
        `${namesOf(refused)} would hold more than ${maxSkew} pods above the emptiest ${topologyKey}: room there, a larger maxSkew or whenUnsatisfiable: ScheduleAnyway would do`,
    ),
  InterPodAffinity: (_, refused) =>
    [...Map.groupBy(refused, ({ message }) => message)].map(([message, of]) =>
      affinityHelp(message, namesOf(of)),
    ),
};

function affinityHelp(message: string, nodes: string): string {
  if (message === affinityRefusal) return `on or near ${nodes} runs no pod that it must be near`;
  if (message === antiAffinityRefusal)
    return `on or near ${nodes} run pods that its anti-affinity keeps away from`;
  return `on or near ${nodes} run pods whose anti-affinity keeps this one away`;
}

function resourceHelp(name: string, { requests }: Claim, rooms: readonly Room[]): string {
  const free = ({ allocatable, taken }: Room) =>
    Math.max((allocatable[name] ?? 0) - (taken[name] ?? 0), 0);
  const largest = Math.max(...rooms.map(({ allocatable }) => allocatable[name] ?? 0));
  const freest = rooms.reduce((best, room) => (free(room) > free(best) ? room : best));
  const asked = requests[name] ?? 0;
  const [wants, all, left] = [asked, largest, free(freest)].map((one) => amount(name, one));
  if (name === "pods")
    return `every node that would take it has its ${all} pods or is kept from it`;
  const facts = `it asks for ${wants} ${name}; the largest node has ${all} allocatable, and the most that is free is ${left} on ${freest.name}`;
  return asked > largest ? `${facts}: no node of these can ever take it` : facts;
}

/** As people write them: CPU in cores, bytes in the largest unit that says it shortly. */
function amount(name: string, value: number): string {
  if (name === "cpu") return String(value / 1_000);
  if (name !== "memory" && !/storage|hugepages/.test(name)) return String(value);
  const units = ["", "Ki", "Mi", "Gi", "Ti"];
  let [size, unit] = [value, 0];
  while (size >= 1_024 && unit < units.length - 1) [size, unit] = [size / 1_024, unit + 1];
  return `${Math.round(size * 10) / 10}${units[unit] ?? ""}`;
}

const portOf = (text: string): string => {
  const [protocol = "", port = ""] = text.split("/");
  return `port ${port}/${protocol}`;
};

const namesMax = 5;

/** The nodes, the first few by name. */
function namesOf(refused: readonly Refusal[]): string {
  const names = [...new Set(refused.map(({ room }) => room.name))].toSorted();
  const shown = names.slice(0, namesMax).join(", ");
  return names.length > namesMax ? `${shown} and ${names.length - namesMax} more` : shown;
}
