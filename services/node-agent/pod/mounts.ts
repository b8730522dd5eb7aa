/** Where a container sees its pod's volumes. */
import { lstat, mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { quantityValue } from "../../../libs/model/quantity.ts";
import type { Mount } from "../runtime/runtime.ts";
import { expand } from "./environment.ts";
import { type Container, isMemory, type Volume } from "./spec.ts";
import { VolumeFailed, volumeFolder } from "./volumes.ts";

/**
 * @param env for paths below a volume that are made of variables
 * @throws {VolumeFailed} when such a path is not there, or leaves its volume
 */
export async function mountsOf(
  folder: string,
  container: Container,
  volumes: readonly Volume[],
  env: ReadonlyMap<string, string>,
): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const {
    name,
    mountPath,
    subPath,
    subPathExpr,
    readOnly = false,
  } of container.volumeMounts) {
    const volume = volumes.find((one) => one.name === name);
    if (volume === undefined) continue;
    const below = subPathExpr === undefined ? subPath : expand(subPathExpr, env);
    if (isMemory(volume)) {
      if (below !== undefined && below !== "")
        throw new VolumeFailed(`volume "${name}" lies in memory: it cannot be mounted in part`);
      mounts.push({ ...memoryMount(volume), target: mountPath, readOnly });
      continue;
    }
    const isFiles = volume.emptyDir === undefined && volume.hostPath === undefined;
    const place = volume.hostPath?.path ?? volumeFolder(folder, name);
    const source =
      below === undefined || below === "" ? place : await sourceBelow(place, below, isFiles);
    const isFixed = isFiles || volume.persistentVolumeClaim?.readOnly === true;
    mounts.push({ kind: "bind", source, target: mountPath, readOnly: isFixed || readOnly });
  }
  return mounts;
}

/** Keeps a pod's volumes in memory while its containers come and go. */
export const memoryMounts = (volumes: readonly Volume[]): readonly Mount[] =>
  volumes
    .filter(isMemory)
    .map((volume, nth) => ({ ...memoryMount(volume), target: `/memory/${nth}`, readOnly: false }));

const memoryMount = ({ name, emptyDir }: Volume) => ({
  kind: "memory" as const,
  name,
  sizeBytes: emptyDir?.sizeLimit === undefined ? 0 : quantityValue(emptyDir.sizeLimit),
});

/** A folder is made where nothing is; a link that another container left must not lead outside. */
async function sourceBelow(place: string, below: string, isFiles: boolean): Promise<string> {
  const target = join(place, below);
  if (!target.startsWith(`${place}/`)) throw new VolumeFailed(`${below} leaves its volume`);
  const exists = await lstat(target).then(
    () => true,
    () => false,
  );
  if (!exists && isFiles) throw new VolumeFailed(`${below} is not in its volume`);
  if (!exists) await mkdir(target, { recursive: true });
  const [root, source] = await Promise.all([realpath(place), realpath(target)]);
  if (source === root || source.startsWith(`${root}/`)) return source;
  throw new VolumeFailed(`${below} leads out of its volume`);
}
