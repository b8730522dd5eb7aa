/** What a step writes. */
import { dequal } from "dequal";
import type { PersistentVolume } from "../../../../libs/model/kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import {
  bindCompleted,
  boundByController,
  isBound,
  keptFor,
  selectedNode,
  storageProvisioner,
  volumeNameOf,
} from "../../../../libs/model/storage/binding.ts";
import { create, type EventNote, normal, touch, update, type Write } from "../../controller.ts";
import type { Step } from "./step.ts";

export type Outcome = {
  readonly writes: readonly Write<PersistentVolume>[];
  /** As it shall be; the same as before: unchanged. */
  readonly claim: PersistentVolumeClaim;
  readonly status: PersistentVolumeClaim["status"];
  readonly note?: EventNote | undefined;
};

export function outcomeOf(step: Step, claim: PersistentVolumeClaim): Outcome {
  switch (step.to) {
    case "bind": {
      const { volume } = step;
      const kept = keptFor(volume, claim);
      const known = isBound(claim) ? [] : [touch(volume)]; // It must not go at the same moment.
      const writes = kept === volume ? known : [update(kept)];
      return { writes, ...boundTo(volume.metadata.name, volume.spec, claim) };
    }
    case "make": {
      const { volume, by } = step;
      const { name } = volume.metadata;
      const note = normal("ProvisioningSucceeded", `Successfully provisioned volume ${name}`);
      const asked = annotated(claim, { [storageProvisioner]: by });
      return { writes: [create(volume)], ...boundTo(name, volume.spec, asked), note };
    }
    case "wait": {
      const asked = step.askedOf === undefined ? {} : { [storageProvisioner]: step.askedOf };
      const next = step.nodeIsGone === true ? withoutNode(claim) : annotated(claim, asked);
      const status = { ...claim.status, phase: "Pending" as const };
      return { writes: [], claim: next, status, note: step.note };
    }
    case "lose":
      return { writes: [], claim, status: { phase: "Lost" }, note: step.note };
    default:
      return step satisfies never;
  }
}

function boundTo(
  volumeName: string,
  { capacity, accessModes }: PersistentVolume["spec"],
  claim: PersistentVolumeClaim,
): Pick<Outcome, "claim" | "status"> {
  const chosen = volumeNameOf(claim) === "";
  const marked = annotated(claim, {
    [bindCompleted]: "yes",
    ...(chosen && { [boundByController]: "yes" }),
  });
  const { storage = "0" } = capacity;
  return {
    claim: chosen ? { ...marked, spec: { ...marked.spec, volumeName } } : marked,
    status: { ...claim.status, phase: "Bound", accessModes, capacity: { storage } },
  };
}

/** The same when it has them. */
function annotated(
  claim: PersistentVolumeClaim,
  added: Readonly<Record<string, string>>,
): PersistentVolumeClaim {
  const annotations = { ...claim.metadata.annotations, ...added };
  if (dequal(annotations, { ...claim.metadata.annotations })) return claim;
  return { ...claim, metadata: { ...claim.metadata, annotations } };
}

function withoutNode(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const { [selectedNode]: _gone, ...annotations } = claim.metadata.annotations ?? {};
  return { ...claim, metadata: { ...claim.metadata, annotations } };
}
