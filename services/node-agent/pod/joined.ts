/** Whose namespaces a container of a pod is put into. Pure. */
import { type Observed, sandboxName } from "../runtime/runtime.ts";
import type { Placed } from "./container-spec.ts";
import { networkHolder, newestOf } from "./facts.ts";
import { isEphemeral, type PodSpec } from "./spec.ts";

/** What it was to join does not run. */
export class NothingToJoin extends Error {
  override readonly name = "NothingToJoin";
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The network is the sandbox's where there is one. An ephemeral container joins what there is: of a
 * pod without a sandbox that of the container that runs, for as long as that does.
 *
 * @param containers the pod's
 * @throws {NothingToJoin}
 */
export function joinedBy(
  container: string,
  spec: PodSpec,
  containers: readonly Observed[],
): Pick<Placed, "sandboxId" | "processesOf"> {
  const own = containers.filter((one) => !isEphemeral(spec, one.container));
  const sandboxId = newestOf(own, sandboxName).newest?.id;
  const shared = spec.shareProcessNamespace ? sandboxId : undefined;
  if (!isEphemeral(spec, container)) return { sandboxId, processesOf: shared };
  const target = spec.ephemeralContainers.find(({ name }) => name === container);
  const name = target?.targetContainerName ?? "";
  const { newest } = newestOf(own, name);
  const isLooking = name !== "" && shared === undefined && !spec.hostPID;
  if (isLooking && newest?.state !== "running")
    throw new NothingToJoin("CreateContainerError", `unable to find target container ${name}`);
  const holder = networkHolder(own);
  if (holder === undefined && !spec.hostNetwork)
    throw new NothingToJoin("ContainerCreating", "nothing of the pod runs yet");
  return { sandboxId: holder?.id, processesOf: isLooking ? newest?.id : shared };
}
