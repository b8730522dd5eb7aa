/** `/scale` of a custom resource: where its numbers of replicas and its selector lie. */
import { isRecord, type JsonRecord, own } from "./record.ts";

export type ScalePaths = {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string | undefined;
};

/** `.spec.replicas`: a path of members. */
const stepsOf = (path: string): readonly string[] => path.replace(/^\./, "").split(".");

export function readPath(object: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>(
    (at, step) => (isRecord(at) ? own(at, step) : undefined),
    object,
  );
}

/** The object with another value there; what is on the way is made. */
export function withPath<O>(object: O, path: string, value: unknown): O {
  return replaced(object, stepsOf(path), value) as O;
}

function replaced(object: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  const record: JsonRecord = isRecord(object) ? object : {};
  return { ...record, [step]: replaced(own(record, step), rest, value) };
}
