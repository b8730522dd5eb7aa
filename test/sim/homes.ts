/**
 * Which Node each pod was bound to, and which engine that was: another one of the same name, which the
 * name was given to when the first was silent (N5), is not its home.
 */
import { node } from "../../libs/model/kinds/node.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import { engineAnnotation } from "../../services/controllers/actors/node.ts";
import { changesOf, objectIn, type State } from "./state.ts";

export type Homes = {
  /** To be told of each transaction, once, before it is asked. */
  see(state: State): void;
  /** The pod's Node is gone, or is another machine now: nobody knows what runs there. */
  isLost(uid: string, state: State): boolean;
};

export function homes(): Homes {
  const bound = new Map<string, { readonly name: string; readonly machine: string }>();
  const machineOf = (state: State, name: string) => {
    const { uid, annotations } = objectIn(state, node, undefined, name)?.metadata ?? {};
    return `${uid ?? ""}/${annotations?.[engineAnnotation] ?? ""}`;
  };
  return {
    see(state) {
      for (const { after } of changesOf(state, pod)) {
        const name = after?.spec.nodeName ?? "";
        if (after === undefined || name === "" || bound.has(after.metadata.uid)) continue;
        bound.set(after.metadata.uid, { name, machine: machineOf(state, name) });
      }
    },
    isLost(uid, state) {
      const home = bound.get(uid);
      return home !== undefined && machineOf(state, home.name) !== home.machine;
    },
  };
}
