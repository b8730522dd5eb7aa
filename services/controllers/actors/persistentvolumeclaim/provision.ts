/** How a claim comes by a volume that is not there yet. */
import type { Node } from "../../../../libs/model/kinds/node.ts";
import type { PersistentVolumeClaim } from "../../../../libs/model/kinds/persistentvolumeclaim.ts";
import type { StorageClass } from "../../../../libs/model/kinds/storageclass.ts";
import { allowsPlace, noProvisioner } from "../../../../libs/model/storage/class.ts";
import { hostPathProvisioner, whyNoDirectory } from "../../../../libs/model/storage/host-path.ts";
import { classNameOf } from "../../../../libs/model/storage/match.ts";
import { normal, warning } from "../../controller.ts";
import { engineAnnotation } from "../node.ts";
import { stableHash } from "../workload/stable-hash.ts";
import { hostVolume } from "./host-volume.ts";
import type { Step } from "./step.ts";
import type { World } from "./world.ts";

const failed = (message: string): Step => ({
  to: "wait",
  note: warning("ProvisioningFailed", message),
});

/** @param consumer the node of the pod that uses the claim; undefined when it waits for none */
export function provision(
  self: PersistentVolumeClaim,
  { storageClass: of, nodes, clusterId }: World,
  consumer: Node | undefined,
): Step {
  const name = classNameOf(self);
  if (name === "")
    return {
      to: "wait",
      note: normal(
        "FailedBinding",
        "no persistent volumes available for this claim and no storage class is set",
      ),
    };
  if (of === undefined) return failed(`storageclass.storage.k8s.io "${name}" not found`);
  if (of.provisioner === noProvisioner)
    return failed(`no volume plugin matched name: ${noProvisioner}`);
  if (of.provisioner !== hostPathProvisioner)
    return { to: "wait", askedOf: of.provisioner, note: normal("ExternalProvisioning", asks(of)) };
  const cannot = (why: string) =>
    failed(`failed to provision volume with StorageClass "${name}": ${why}`);
  const why = whyNoDirectory(self);
  if (why !== undefined) return cannot(why);
  const home = consumer ?? anyNode(self, of, nodes);
  if (home === undefined) return cannot("no node is ready for it");
  if (!allowsPlace(of, home.metadata.labels ?? {}))
    return cannot(`its allowedTopologies exclude node ${home.metadata.name}`);
  const volume = hostVolume(self, of, home, clusterId);
  return { to: "make", volume, by: of.provisioner };
}

const asks = ({ provisioner }: StorageClass): string =>
  `Waiting for a volume to be created either by the external provisioner '${provisioner}' or ` +
  "manually by the system administrator. If volume creation is delayed, please verify that the " +
  "provisioner is running and correctly registered.";

/** The same node for a claim, whoever asks, as long as that is ready: claims are spread. */
const anyNode = (
  { metadata }: PersistentVolumeClaim,
  of: StorageClass,
  nodes: readonly Node[],
): Node | undefined =>
  nodes
    .filter((one) => isReady(one) && allowsPlace(of, one.metadata.labels ?? {}))
    .toSorted((a, b) => weight(metadata.uid, b) - weight(metadata.uid, a))[0];

const weight = (uid: string, node: Node) => stableHash([uid, node.metadata.name]);

/** It takes pods, and an agent of ours makes directories on it. */
const isReady = ({ metadata, spec, status }: Node): boolean =>
  metadata.deletionTimestamp === undefined &&
  metadata.annotations?.[engineAnnotation] !== undefined &&
  spec.unschedulable !== true &&
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
