import type { Predicate } from "./predicate.ts";

/** No other pod of the node has the port; an address is free unless all or the same are taken. */
export const hostPorts: Predicate = {
  name: "NodePorts",
  fixed: false,
  check: (claim, room) =>
    claim.hostPorts.length === 0 ||
    claim.hostPorts.every((wanted) => ![...room.hostPorts].some((taken) => collide(wanted, taken))),
  explain: () => ["node(s) didn't have free ports for the requested pod ports"],
};

function collide(wanted: string, taken: string): boolean {
  const [protocol, port, address] = wanted.split("/");
  const [takenProtocol, takenPort, takenAddress] = taken.split("/");
  if (protocol !== takenProtocol || port !== takenPort) return false;
  return address === takenAddress || address === everywhere || takenAddress === everywhere;
}

const everywhere = "0.0.0.0";
