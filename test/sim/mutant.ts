/** Real code, broken on purpose in one place: `mutants/` lists them, `mutants.ts` sees each one caught. */
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export type Mutant = {
  /** The rule of docs/safety.md that it breaks. */
  readonly rule: string;
  readonly what: string;
  readonly file: string;
  /** Occurs once. */
  readonly from: string;
  readonly to: string;
  /** Workloads, by name, whose schedules show it; undefined: any. It needs what seldom meets in others. */
  readonly of?: readonly string[];
  /** What else is broken with it: where each of two rules hides that the other is missing. */
  readonly also?: Pick<Mutant, "file" | "from" | "to">;
};

/** Whether the text that it replaces occurs once in its file. */
export const isStillThere = (root: string, { also, ...edit }: Mutant): boolean =>
  [edit, ...(also === undefined ? [] : [also])].every(
    ({ file, from }) => readFileSync(join(root, file), "utf8").split(from).length === 2,
  );

const folder = join(import.meta.dirname, "mutants");

/** Every mutant that a file of the folder lists. */
export async function allMutants(): Promise<readonly Mutant[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts")).toSorted();
  const found: Mutant[] = [];
  for (const file of files) {
    const exports: unknown = await import(pathToFileURL(join(folder, file)).href);
    for (const list of Object.values(exports as Record<string, readonly Mutant[]>)) {
      found.push(...list); // Each file exports one list.
    }
  }
  return found;
}
