/** What the cluster fills in of claims to storage, and of volumes. */
import { dequal } from "dequal";
import type { ClusterView } from "../cluster/view.ts";
import type { PersistentVolumeClaim } from "../model/kinds/persistentvolumeclaim.ts";
import { storageClass } from "../model/kinds/storageclass.ts";
import { compareQuantities } from "../model/quantity.ts";
import { claimProtection, volumeProtection } from "../model/storage/binding.ts";
import { defaultClassOf } from "../model/storage/class.ts";
import type { AdmissionContext, AnyObject } from "./context.ts";
import { forbidden } from "./forbidden.ts";
import { limitClaim } from "./limits/limit.ts";

/** Of the default class when it names none; held while a pod uses it; within its namespace's limits. */
export function prepareClaim(
  claim: AnyObject,
  before: AnyObject | undefined,
  { view }: AdmissionContext,
): AnyObject {
  const isEnding = before?.metadata.deletionTimestamp !== undefined;
  const isNews = !dequal(claim.spec?.["resources"], before?.spec?.["resources"]);
  if (isNews && !isEnding) limitClaim(claim as unknown as PersistentVolumeClaim, view); // Parsed as one.
  if (before !== undefined) {
    requireResizable(claim, before, view);
    return claim;
  }
  const byDefault = defaultClassOf(view.list(storageClass));
  const isNamed = claim.spec?.["storageClassName"] !== undefined;
  const spec =
    isNamed || byDefault === undefined
      ? claim.spec
      : { ...claim.spec, storageClassName: byDefault.metadata.name };
  return held({ ...claim, spec }, before, claimProtection);
}

/** @throws {ApiError} Forbidden: nobody would make the volume larger */
function requireResizable(claim: AnyObject, before: AnyObject, view: ClusterView): void {
  const asked = (of: AnyObject) =>
    (of.spec as PersistentVolumeClaim["spec"]).resources.requests["storage"] ?? "0"; // Parsed as one.
  if (compareQuantities(asked(claim), asked(before)) <= 0) return;
  const className = before.spec?.["storageClassName"];
  const of =
    typeof className === "string" ? view.get(storageClass, undefined, className) : undefined;
  if (of?.allowVolumeExpansion === true) return;
  const why =
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc " +
    "must support resize";
  throw forbidden(
    { group: "", resource: "persistentvolumeclaims" },
    claim.metadata.name ?? "",
    why,
  );
}

/** Held while a claim is bound to it. */
export const prepareVolume = (volume: AnyObject, before: AnyObject | undefined): AnyObject =>
  held(volume, before, volumeProtection);

/** Kubernetes' StorageObjectInUseProtection. */
function held(object: AnyObject, before: AnyObject | undefined, finalizer: string): AnyObject {
  const { metadata } = object;
  if (before !== undefined) return object;
  const finalizers = [...new Set([...(metadata.finalizers ?? []), finalizer])];
  return { ...object, metadata: { ...metadata, finalizers } };
}
