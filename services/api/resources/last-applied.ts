/** From client-side apply to server-side apply: the annotation in which kubectl keeps what it applied. */
import { compare } from "../../../libs/model/fields/compare.ts";
import { difference, type FieldSet } from "../../../libs/model/fields/field-set.ts";
import type { FieldType } from "../../../libs/model/fields/field-type.ts";
import { setOf } from "../../../libs/model/fields/set-of.ts";
import { annotations as annotationsSchema } from "../../../libs/model/metadata.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";

/** Where kubectl's client-side apply keeps what was last applied. */
const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * The fields that client-side apply has set and nobody has changed since: kubectl may take them.
 *
 * @returns undefined when the object does not come from client-side apply in this version
 */
export function lastAppliedBy(
  type: FieldType,
  live: unknown,
  apiVersion: string,
): FieldSet | undefined {
  const last = parsed(annotationsOf(live)?.[lastAppliedAnnotation]);
  if (last === undefined || last["apiVersion"] !== apiVersion) return undefined;
  const { removed, modified, added } = compare(type, last, live);
  return [removed, modified, added].reduce(difference, setOf(type, last));
}

/** The merged object whose annotation, where it has one, says what was applied now. */
export function withLastApplied(object: unknown, applied: JsonRecord): unknown {
  const annotations = annotationsOf(object);
  if (!isRecord(object) || annotations === undefined) return object;
  if ((annotations[lastAppliedAnnotation] ?? "") === "") return object;
  const { [lastAppliedAnnotation]: _before, ...others } = annotations;
  const text = `${JSON.stringify(sorted(withoutAnnotation(applied)))}\n`;
  const next = { ...others, [lastAppliedAnnotation]: text };
  const fits = annotationsSchema.safeParse(next).success;
  const metadata = isRecord(object["metadata"]) ? object["metadata"] : {};
  return { ...object, metadata: { ...metadata, annotations: fits ? next : others } };
}

function withoutAnnotation(applied: JsonRecord): JsonRecord {
  const { metadata } = applied;
  if (!isRecord(metadata) || !isRecord(metadata["annotations"])) return applied;
  const { [lastAppliedAnnotation]: _last, ...annotations } = metadata["annotations"];
  return { ...applied, metadata: { ...metadata, annotations } };
}

function annotationsOf(object: unknown): JsonRecord | undefined {
  const metadata = isRecord(object) ? object["metadata"] : undefined;
  const annotations = isRecord(metadata) ? metadata["annotations"] : undefined;
  return isRecord(annotations) ? annotations : undefined;
}

function parsed(text: unknown): JsonRecord | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined; // Somebody wrote it by hand: nothing is known of the last apply.
  }
}

/** As Go writes maps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
