/**
 * The addresses that Services have: an IPAddress each, made and deleted in its Service's transaction, and
 * at once the claim of it. Its key is the literal one that whoever wants the address writes (O4).
 */
import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { ipAddress, type IpAddress } from "../model/kinds/ipaddress.ts";
import { keyOf } from "./key.ts";

export const addressKey = (address: string): string => keyOf(ipAddress, undefined, address);

type Holder = {
  readonly metadata: {
    readonly namespace?: string | undefined;
    readonly name?: string | undefined;
    readonly uid?: string | undefined;
    readonly creationTimestamp?: string | null | undefined;
  };
};

/** As long as the Service has the address it is the same, whatever else of the Service changes. */
export function addressClaim({ metadata }: Holder, address: string): IpAddress {
  const { namespace, name = "", uid = "", creationTimestamp } = metadata;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: {
      name: address,
      uid: uidOf(`${uid}/${address}`),
      ...(typeof creationTimestamp === "string" && { creationTimestamp }),
      labels: {
        "ipaddress.kubernetes.io/ip-family": isIPv6(address) ? "IPv6" : "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
      },
    },
    spec: {
      parentRef: { resource: "services", ...(namespace !== undefined && { namespace }), name },
    },
  };
}

/** An id of an object that follows from another's. */
function uidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [0, 8, 12, 16, 20].map((from, nth, all) => hex.slice(from, all[nth + 1] ?? 32)).join("-");
}
