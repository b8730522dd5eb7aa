/** Kubernetes' functions of lists, and cel-go's of lists as sets. */
import { charge } from "../budget.ts";
import { celEquals } from "../values.ts";
import { define, failure, type Library, namespace } from "./library.ts";

type List = readonly unknown[];

export const lists: Library = (environment) => {
  define(environment, [
    ["list.isSorted(): bool", isSorted],
    ["list.sum(): dyn", sum],
    ["list.min(): dyn", (list: List) => extreme(list, "min", (order) => order < 0)],
    ["list.max(): dyn", (list: List) => extreme(list, "max", (order) => order > 0)],
    ["list.indexOf(dyn): int", indexOf],
    ["list.lastIndexOf(dyn): int", lastIndexOf],
  ]);
  namespace(environment, "sets", [
    ["contains(list, list): bool", containsAll],
    ["equivalent(list, list): bool", (a: List, b: List) => containsAll(a, b) && containsAll(b, a)],
    ["intersects(list, list): bool", (a: List, b: List) => b.some((item) => includes(a, item))],
  ]);
};

const isSorted = (list: List) =>
  list.every((item, at) => at === 0 || compare(list[at - 1], item) <= 0);

function sum(list: List): unknown {
  const [first, ...rest] = list;
  if (first === undefined) return 0n;
  return rest.reduce((total, item) => add(total, item), first);
}

function add(a: unknown, b: unknown): unknown {
  if (typeof a === "bigint" && typeof b === "bigint") return a + b;
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (hasAddDuration(a) && hasAddDuration(b)) return a.addDuration(b);
  throw failure("no such overload");
}

/** cel-js's duration, whose class it does not export. */
type Duration = { readonly addDuration: (other: Duration) => Duration };
const hasAddDuration = (value: unknown): value is Duration =>
  typeof value === "object" && value !== null && "addDuration" in value;

function extreme(list: List, name: string, better: (order: number) => boolean): unknown {
  if (list.length === 0) throw failure(`${name} called on empty list`);
  return list.reduce((best, item) => (better(compare(item, best)) ? item : best));
}

/** Numbers by value, texts by code points, false before true, times and durations by time. */
function compare(a: unknown, b: unknown): number {
  const kinds = [typeof a, typeof b];
  const numbers = kinds.every((kind) => kind === "bigint" || kind === "number");
  if (!numbers && kinds[0] !== kinds[1]) throw failure("no such overload");
  if (typeof a === "string" && typeof b === "string")
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const [left, right] = [a, b] as [number, number]; // `<` compares what is left by value.
  return left < right ? -1 : left > right ? 1 : 0;
}

function indexOf(list: List, item: unknown): bigint {
  charge(list.length);
  return BigInt(list.findIndex((other) => celEquals(other, item)));
}

function lastIndexOf(list: List, item: unknown): bigint {
  charge(list.length);
  return BigInt(list.findLastIndex((other) => celEquals(other, item)));
}

const containsAll = (list: List, items: List) => items.every((item) => includes(list, item));

function includes(list: List, item: unknown): boolean {
  charge(list.length);
  return list.some((other) => celEquals(other, item));
}
