import { parseKey } from "../../../libs/cluster/key.ts";
import type { Replica } from "../../../libs/store/replica.ts";
import type { Revision } from "../../../libs/store/store.ts";
import { untoken } from "../../../libs/protocol/subjects.ts";

/** The last revision of what concerns each node, deletions too: what heartbeats are answered with. */
export type NodeRevisions = Disposable & { lastOf(node: string): Revision };

/**
 * A node is taken to have missed everything up to the cut that this instance began with: what was
 * deleted before it cannot be told apart, so each node asks once more after a takeover (N3).
 */
export function followNodeRevisions(replica: Replica<unknown>): NodeRevisions {
  let loadedAt = replica.revision;
  const last = new Map<string, Revision>();
  const subscription = replica.subscribe(({ revision, changes, loaded }) => {
    if (loaded) loadedAt = revision;
    for (const { key, revision: at } of changes) {
      const [resource, node] = key.split(".", 2);
      if (resource === "assign" && node !== undefined) last.set(untoken(node), at);
      if (resource === "nodes" && !replica.get(key)) last.delete(parseKey(key).name);
    }
  });
  return {
    lastOf: (node) => Math.max(last.get(node) ?? 0, loadedAt),
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}
