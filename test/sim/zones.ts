/** Where a node of the simulation stands: two machines in one zone, one in the other. */
export const zoneOf = (node: string): string => (node === "n3" ? "b" : "a");

/** Nodes that are kept through the API are in no zone. */
export const zonedNodes: readonly string[] = ["n1", "n2", "n3"];
