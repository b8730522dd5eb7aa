/** Which attempt of each container was started last, on disk: it outlives the container and the agent. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { fileMemory } from "../../../libs/machine/file-memory.ts";

const noted = z.object({ attempt: z.int().min(0) });
const notesIn = (folder: string) => join(folder, "started");

export async function noteStarted(
  folder: string,
  container: string,
  attempt: number,
): Promise<void> {
  await fileMemory(join(notesIn(folder), container)).save({ attempt });
}

/** By container; what cannot be read was never noted. */
export async function startedAttempts(folder: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(notesIn(folder)).catch(() => []);
  const attempts = new Map<string, number>();
  for (const name of names) {
    const { data } = noted.safeParse(await fileMemory(join(notesIn(folder), name)).load());
    if (data !== undefined) attempts.set(name, data.attempt);
  }
  return attempts;
}
