/** One object of a type, and those who write it: what tables and properties of ownership are told in. */
import { type FieldSet, shownPaths } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { type AllManaged, encodeManaged, decodeManaged } from "./managed.ts";
import { type Applied, manageApply, manageUpdate, type Versions } from "./manage.ts";

export type Owned = Readonly<Record<string, readonly string[]>>;

export type World = {
  readonly object: unknown;
  readonly managed: AllManaged;
};

export const nobodys: World = { object: {}, managed: new Map() };

const apiVersion = "v1";
const versions = (type: FieldType): Versions => ({
  typeIn: (version) => (version === apiVersion ? type : undefined),
  convert: (object) => object,
});

type Common = { readonly type: FieldType; readonly by: string; readonly now?: string };

const write = (
  { type, by, now = "2026-01-01T00:00:00Z" }: Common,
  operation: "Apply" | "Update",
) => ({
  versions: versions(type),
  by: { name: by, operation, apiVersion, subresource: "" },
  now,
  filter: (set: FieldSet) => set,
});

export function apply(
  { object, managed }: World,
  {
    config,
    force = false,
    ...common
  }: Common & { readonly config: unknown; readonly force?: boolean },
): Applied {
  const read = decodeManaged(encodeManaged(managed)) ?? new Map(); // As the store would keep it.
  return manageApply({ ...write(common, "Apply"), live: object, managed: read, config, force });
}

export function update(
  { object, managed }: World,
  { to, ...common }: Common & { readonly to: unknown },
): World {
  const next = manageUpdate({ ...write(common, "Update"), managed, before: object, after: to });
  return { object: to, managed: next };
}

/** Name → paths. */
export const ownersIn = ({ managed }: Pick<World, "managed">): Owned =>
  Object.fromEntries(
    [...managed.values()].map(({ manager, set }) => [manager.name, shownPaths(set)]),
  );
