/** For tests of what `kubectl get` shows. */
import type { Kind } from "./kind.ts";

/** What the columns say of an object, by their names. */
export const shownBy = <O>(kind: Kind<O>, object: O, now = 0): Readonly<Record<string, unknown>> =>
  Object.fromEntries(kind.columns.map((column) => [column.name, column.read(object, now)]));
