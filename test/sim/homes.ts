/** Which Node each pod was bound to: another one of the same name is not its home. */
import { node } from "../../libs/model/kinds/node.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import { changesOf, objectIn, type State } from "./state.ts";

export type Homes = {
  /** To be told of each transaction, once, before it is asked. */
  see(state: State): void;
  /** The pod's Node is gone: nobody knows what runs there. */
  isLost(uid: string, state: State): boolean;
};

export function homes(): Homes {
  const bound = new Map<string, { readonly name: string; readonly uid: string }>();
  const uidOf = (state: State, name: string) =>
    objectIn(state, node, undefined, name)?.metadata.uid ?? "";
  return {
    see(state) {
      for (const { after } of changesOf(state, pod)) {
        const name = after?.spec.nodeName ?? "";
        if (after === undefined || name === "" || bound.has(after.metadata.uid)) continue;
        bound.set(after.metadata.uid, { name, uid: uidOf(state, name) });
      }
    },
    isLost(uid, state) {
      const home = bound.get(uid);
      return home === undefined || uidOf(state, home.name) !== home.uid;
    },
  };
}
