/** What a CustomResourceDefinition's status says: whether its names are its own, and it is served. */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionStatus,
  CustomResourceNames,
} from "../kinds/customresourcedefinition.ts";

/** Holds a definition until its objects are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

type Condition = NonNullable<CustomResourceDefinitionStatus["conditions"]>[number];
type Definition = Pick<CustomResourceDefinition, "metadata" | "spec" | "status">;

/**
 * The status that follows from the cut: the names are accepted unless another definition of the group
 * has them. Of two that were made at once the older one keeps them, whoever decides.
 *
 * @param now RFC 3339, for conditions that change
 */
export function definitionStatus(
  self: Definition,
  others: readonly Definition[],
  now: string,
): CustomResourceDefinitionStatus {
  const { spec, status = {} } = self;
  const rivals = others.filter(
    (one) =>
      one.spec.group === spec.group &&
      one.metadata.name !== self.metadata.name &&
      keepsItsNames(one, self),
  );
  const conflict = conflictOf(spec.names, rivals);
  const established: Partial<Condition> =
    conflict === undefined
      ? {
          status: "True",
          reason: "InitialNamesAccepted",
          message: "the initial names have been accepted",
        }
      : { status: "False", reason: "NotAccepted", message: "not all names are accepted" };
  const accepted: Partial<Condition> =
    conflict === undefined
      ? { status: "True", reason: "NoConflicts", message: "no conflicts found" }
      : { status: "False", reason: conflict.reason, message: conflict.message };
  // Who was served before goes on being served.
  const wasEstablished = conditionOf(status, "Established")?.status === "True";
  const conditions = [
    { type: "NamesAccepted", ...accepted },
    { type: "Established", ...(wasEstablished ? conditionOf(status, "Established") : established) },
  ] as const;
  const storage = spec.versions.find((one) => one.storage)?.name;
  const stored = status.storedVersions ?? [];
  return {
    ...status,
    conditions: merged(status.conditions ?? [], conditions as readonly Condition[], now), // Each has its status.
    acceptedNames: conflict === undefined ? spec.names : (status.acceptedNames ?? noNames),
    storedVersions:
      storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  };
}

/** The same with the condition that it is going. */
export function terminatingStatus(
  { status = {} }: Pick<Definition, "status">,
  now: string,
): CustomResourceDefinitionStatus {
  const terminating: Condition = {
    type: "Terminating",
    status: "True",
    reason: "InstanceDeletionPending",
    message: "CustomResource instances are being deleted",
  };
  return { ...status, conditions: merged(status.conditions ?? [], [terminating], now) };
}

const noNames: CustomResourceNames = { plural: "", kind: "" };

export const conditionOf = (
  { conditions = [] }: CustomResourceDefinitionStatus,
  wanted: string,
): Condition | undefined => conditions.find(({ type }) => type === wanted);

/** Whether a definition's names are its own as far as another one is concerned. */
function keepsItsNames(one: Definition, self: Definition): boolean {
  if ((one.status?.acceptedNames?.kind ?? "") === "") return false;
  if (conditionOf(self.status ?? {}, "NamesAccepted")?.status !== "True") return true;
  return ageOf(one) < ageOf(self);
}

const ageOf = ({ metadata }: Definition) =>
  `${metadata.creationTimestamp ?? "~"} ${metadata.uid} ${metadata.name}`;

function conflictOf(
  names: CustomResourceNames,
  rivals: readonly Definition[],
): { readonly reason: string; readonly message: string } | undefined {
  const taken = rivals.map(({ status }) => status?.acceptedNames ?? noNames);
  const resources = new Set(
    taken.flatMap(({ plural, singular = "", shortNames = [] }) => [
      plural,
      singular,
      ...shortNames,
    ]),
  );
  const kinds = new Set(taken.flatMap(({ kind, listKind = "" }) => [kind, listKind]));
  const wanted = [
    ["PluralConflict", names.plural, resources],
    ["SingularConflict", names.singular ?? "", resources],
    ...(names.shortNames ?? []).map((name) => ["ShortNamesConflict", name, resources] as const),
    ["KindConflict", names.kind, kinds],
    ["ListKindConflict", names.listKind ?? "", kinds],
  ] as const;
  const found = wanted.find(([, name, others]) => name !== "" && others.has(name));
  if (found === undefined) return undefined;
  const [reason, name] = found;
  return { reason, message: `${JSON.stringify(name)} is already in use` };
}

/** A condition keeps its time as long as its status stays. */
function merged(
  before: readonly Condition[],
  after: readonly Condition[],
  now: string,
): Condition[] {
  const timed = after.map((one) => {
    const was = before.find(({ type }) => type === one.type);
    const lastTransitionTime = was?.status === one.status ? (was.lastTransitionTime ?? now) : now;
    return { ...one, lastTransitionTime };
  });
  const kept = before.filter(({ type }) => !after.some((one) => one.type === type));
  return [...timed, ...kept];
}
