/** Where a node of the simulation stands: two machines in one zone, one in the other. */
export const zoneOf = (node: string): string => (node === "n3" ? "b" : "a");
