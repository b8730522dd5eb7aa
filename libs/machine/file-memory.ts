import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** What a service keeps between two runs, beside what the control plane knows. */
export interface Memory {
  load(): Promise<unknown>;
  save(state: unknown): Promise<void>;
}

/** One JSON file, replaced whole: a crash leaves the old one or the new one. */
export function fileMemory(path: string): Memory {
  return {
    async load() {
      try {
        return JSON.parse(await readFile(path, "utf8")) as unknown;
      } catch {
        return undefined; // None yet, or damaged: as if there were none.
      }
    },
    async save(state) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}
