/** A pod's claims to storage, as paths of the machine. */
import { chmod, mkdir } from "node:fs/promises";
import { claimNamesOf } from "../../../libs/model/pod/claim-refs.ts";
import type { Claimed, ClaimRef } from "../../../libs/protocol/node.ts";
import type { PodWork, Volume } from "./spec.ts";
import { mountFailed, VolumeFailed, VolumePending } from "./volumes.ts";

export const claimsOf = ({ namespace, spec }: PodWork): readonly ClaimRef[] =>
  claimNamesOf(spec).map((name) => ({ namespace, name }));

/**
 * The pod with its claims as the paths that they are bound to. Directories that were made for claims
 * are there afterwards, open to every user: whose the containers are is not known.
 *
 * @throws {VolumeFailed} when one is not bound, or its volume is not on this machine
 */
export async function withClaimed(work: PodWork, answers: readonly Claimed[]): Promise<PodWork> {
  if (claimsOf(work).length === 0) return work;
  const volumes: Volume[] = [];
  for (const volume of work.spec.volumes) {
    const { persistentVolumeClaim } = volume;
    if (persistentVolumeClaim === undefined) {
      volumes.push(volume);
      continue;
    }
    const answer = answers.find(({ name }) => name === persistentVolumeClaim.claimName);
    if (answer?.volume === undefined) {
      const why = mountFailed(volume, new VolumeFailed(answer?.waits ?? "its claim is not known"));
      throw answer?.isPending === true ? new VolumePending(why.message) : why;
    }
    const { path, type, makes } = answer.volume;
    if (makes) await makeOpen(path);
    volumes.push({ ...volume, hostPath: { path, type } });
  }
  return { ...work, spec: { ...work.spec, volumes } };
}

/** One that is there keeps the mode that its users gave it. */
async function makeOpen(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true });
  if (made !== undefined) await chmod(path, 0o777);
}
