import type { Behaviour } from "../../libs/actor/behaviour.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import type { Kind } from "../../libs/model/kind.ts";
import type { Change } from "../../libs/store/replica.ts";
import { resourceOf as keyResourceOf } from "../../libs/cluster/key.ts";
import type { Controller, ControllerOfMany, ObjectChange } from "./controller.ts";

type Behave = Behaviour<ClusterView, Change<unknown>>;

/** One behaviour for a controller of many kinds: `things.example.dev:default/one`. */
export function behaviourOfMany(
  { name, kinds, of, reaches }: ControllerOfMany,
  {
    make,
    read,
  }: {
    readonly make: (controller: Controller) => Behave;
    /** What a change is of. */
    readonly read: (change: Change<unknown>) => {
      readonly changed: string;
      readonly sides: ObjectChange;
    };
  },
): Behave {
  const made = new WeakMap<Controller, Behave>();
  const behaviour = (kind: Kind): Behave => {
    const controller = of(kind);
    const known = made.get(controller) ?? make(controller);
    made.set(controller, known);
    return known;
  };
  const find = (address: string, view: ClusterView) => {
    const split = address.indexOf(":");
    const resource = address.slice(0, split);
    const kind = kinds(view).find((one) => resourceOf(one) === resource);
    return kind && { of: behaviour(kind), name: address.slice(split + 1) };
  };
  /** Of what failed there is no view: the last that was turned on is taken. */
  let last: ClusterView | undefined;
  return {
    kind: name,
    *concerns(change, view) {
      const { changed, sides } = read(change);
      const far = reaches(sides);
      for (const kind of kinds(view)) {
        if (!far && keyResourceOf(kind) !== changed) continue;
        for (const one of behaviour(kind).concerns(change, view)) yield addressOf(kind, one);
      }
    },
    *all(view) {
      for (const kind of kinds(view))
        for (const one of behaviour(kind).all(view)) yield addressOf(kind, one);
    },
    turn(address, view, now) {
      last = view;
      const found = find(address, view);
      return found?.of.turn(found.name, view, now);
    },
    failed(address, failure) {
      const found = last && find(address, last);
      found?.of.failed?.(found.name, failure);
    },
  };
}

const resourceOf = ({ plural, group }: Kind) => `${plural}.${group}`;
const addressOf = (kind: Kind, name: string) => `${resourceOf(kind)}:${name}`;
