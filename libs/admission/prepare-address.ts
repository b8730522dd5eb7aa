/** What stands for a setting of the cluster or follows from another object: users may look at it. */
import type { Kind } from "../model/kind.ts";
import { ipAddress } from "../model/kinds/ipaddress.ts";
import { serviceCidr } from "../model/kinds/servicecidr.ts";
import { type AdmissionContext, type AnyObject, timestamp } from "./context.ts";
import { forbidden } from "./forbidden.ts";

/** The one range of Services. */
export const serviceRangeName = "kubernetes";

const followsFromService =
  "it is there as long as a Service has the address, and changes with that Service alone";
const isSetting = "the range of Services is a setting of the cluster, and the only one";

/** @throws {ApiError} Forbidden */
export function prepareAddress({ metadata }: AnyObject): never {
  throw refused(ipAddress, metadata.name, followsFromService);
}

/** @throws {ApiError} Forbidden for any range but the cluster's own */
export function prepareRange(
  range: AnyObject,
  before: AnyObject | undefined,
  { settings, now }: AdmissionContext,
): AnyObject {
  if (before !== undefined) return range;
  const cidrs = (range.spec?.["cidrs"] ?? []) as readonly string[]; // Parsed as a ServiceCIDR.
  const isOwn = cidrs.length === 1 && cidrs[0] === settings.serviceCIDR;
  if (range.metadata.name !== serviceRangeName || !isOwn)
    throw refused(serviceCidr, range.metadata.name, isSetting);
  const ready = {
    type: "Ready",
    status: "True",
    lastTransitionTime: timestamp(now),
    reason: "",
    message: "Kubernetes Service CIDR is ready",
  };
  return { ...range, status: { conditions: [ready] } };
}

/** @throws {ApiError} Forbidden for what is not a user's to delete */
export function requireDeletable({ group, kind }: Kind, name: string | undefined): void {
  if (group !== "networking.k8s.io") return;
  if (kind === "IPAddress") throw refused(ipAddress, name, followsFromService);
  if (kind === "ServiceCIDR") throw refused(serviceCidr, name, isSetting);
}

const refused = ({ group, plural }: Kind, name: string | undefined, why: string) =>
  forbidden({ group, resource: plural }, name ?? "", why);
