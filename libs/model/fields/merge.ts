import { listIn, objectIn, sharedForm } from "./compare.ts";
import { type FieldType, type ListType, memberType, own } from "./field-type.ts";
import { itemElement } from "./path-element.ts";
import { groupedItems } from "./set-of.ts";

/**
 * What `live` becomes when `config` is applied to it: what `config` states is as it says, everything
 * else stays. Neither is changed.
 */
export function merge(type: FieldType, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined) return config;
  const form = sharedForm(type, live, config);
  if (form === "leaf") return config;
  if (form.type === "list") return mergeItems(form, listIn(live), listIn(config));
  const [was, stated] = [objectIn(live), objectIn(config)];
  const merged: Record<string, unknown> = { ...was };
  for (const [name, value] of Object.entries(stated)) {
    setOwn(merged, name, merge(memberType(form, name), own(was, name), value));
  }
  return merged;
}

/** A member of any name, `__proto__` too. */
function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/**
 * Items that both have come in the order of the configuration, and those that it alone has before the
 * next of these; the others keep their place.
 */
function mergeItems(
  type: ListType,
  live: readonly unknown[],
  config: readonly unknown[],
): readonly unknown[] {
  const [was, stated] = [groupedItems(type, live), groupedItems(type, config)];
  const merged = (element: string) => {
    const [old, ...others] = was.get(element) ?? [];
    // Of items that were there twice nobody can say which one is meant: they are replaced.
    return merge(type.items(), others.length > 0 ? undefined : old, stated.get(element)?.[0]);
  };
  const order = [...stated.keys()];
  const out: unknown[] = [];
  let next = 0;
  let nextShared = 0;
  const emitThrough = (end: number) => {
    for (; next < end; next += 1) out.push(merged(order[next] ?? ""));
    nextShared = next;
    while (nextShared < order.length && !was.has(order[nextShared] ?? "")) nextShared += 1;
  };
  emitThrough(0);
  for (const item of live) {
    const found = itemElement(type, item);
    if ("fault" in found || !stated.has(found.element)) out.push(item);
    else if (order[nextShared] === found.element) emitThrough(nextShared + 1);
  }
  emitThrough(order.length);
  return out;
}
