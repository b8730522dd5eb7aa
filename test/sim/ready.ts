import type { Node, NodeCondition } from "../../libs/model/kinds/node.ts";

/** What a Node says of whether it is ready. */
export const readyOf = (one: Node | undefined): NodeCondition | undefined =>
  one?.status?.conditions?.find(({ type }) => type === "Ready");
