import { join } from "node:path";

/** Where the files of a node's pods are, and of one: they go with the pod. */
export const podsFolder = (dataDir: string): string => join(dataDir, "pods");
export const podFolder = (dataDir: string, uid: string): string => join(podsFolder(dataDir), uid);

/** Where directories are that volumes are made of: they outlive pods. */
export const volumesFolder = (dataDir: string): string => join(dataDir, "volumes");
