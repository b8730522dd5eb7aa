/** What a quota's resources come to in a cut. */
import type { ClusterView } from "../../cluster/view.ts";
import { prefixOf } from "../../cluster/key.ts";
import type { Kind } from "../../model/kind.ts";
import type { ResourceQuota } from "../../model/kinds/resourcequota.ts";
import { isInScope } from "./scope.ts";
import { plusUsage, type Usage, usageOf } from "./usage.ts";

/** Its resources and how much of each is used: those of `kinds` that are counted in the namespace. */
export function usedIn(view: ClusterView, quota: ResourceQuota, kinds: readonly Kind[]): Usage {
  const hard = Object.keys(quota.spec.hard ?? {});
  let used: Usage = Object.fromEntries(hard.map((name) => [name, "0"]));
  for (const { group, plural, ...kind } of kinds) {
    const prefix = prefixOf({ group, plural, ...kind }, quota.metadata.namespace);
    for (const { value: object } of view.raw.scan(prefix)) {
      const counted = { group, resource: plural, object };
      if (isInScope(quota, counted)) used = plusUsage(used, of(hard, usageOf(counted)));
    }
  }
  return used;
}

/** The part of a usage that a quota names. */
export const of = (names: readonly string[], usage: Usage): Usage =>
  Object.fromEntries(
    names.flatMap((name) => (usage[name] === undefined ? [] : [[name, usage[name]]])),
  );
