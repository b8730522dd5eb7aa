import { portsCollide } from "../../../libs/model/pod/host-ports.ts";
import type { Predicate } from "./predicate.ts";

/** No other pod of the node has the port; an address is free unless all or the same are taken. */
export const hostPorts: Predicate = {
  name: "NodePorts",
  fixed: false,
  check: (claim, room) =>
    claim.hostPorts.length === 0 ||
    claim.hostPorts.every(
      (wanted) => ![...room.hostPorts].some((taken) => portsCollide(wanted, taken)),
    ),
  explain: () => ["node(s) didn't have free ports for the requested pod ports"],
};
