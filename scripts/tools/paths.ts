import { join } from "node:path";

/** The folder of the repository. */
export const root = join(import.meta.dirname, "../..");

/** Programs that this project fetched for itself; nothing in here is part of a cluster's state. */
export const binDir = join(root, ".berth/bin");
