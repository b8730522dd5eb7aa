/** An explanation as text, for a terminal. */
import type { Explanation } from "../../../libs/protocol/explain.ts";

const nodesMax = 100;

/** @param address `<namespace>/<name>` */
export function textOf(address: string, explanation: Explanation): string {
  const { verdict, message, help, nodes, preemption } = explanation;
  const lines = nodes
    .slice(0, nodesMax)
    .flatMap((node) =>
      "total" in node
        ? [
            `  ${node.name}: ${rounded(node.total)}`,
            ...node.scores.map(
              ({ rule, score, weight }) => `    ${rule}: ${rounded(score)} × ${weight}`,
            ),
          ]
        : [`  ${node.name}: no`, ...node.refusals.map((one) => `    ${one.rule}: ${one.message}`)],
    );
  return [
    `Pod ${address}: ${verdict}`,
    `  ${message}`,
    ...(help.length > 0 ? ["What would help:", ...help.map((one) => `  ${one}`)] : []),
    ...(preemption === undefined
      ? []
      : [
          `Preemption: ${preemption.node}, without ${preemption.victims.join(", ") || "anyone more"}`,
        ]),
    ...(lines.length > 0 ? ["Nodes:", ...lines] : []),
    ...(nodes.length > nodesMax ? [`  and ${nodes.length - nodesMax} more`] : []),
    "",
  ].join("\n");
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
