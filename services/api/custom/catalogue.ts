/**
 * The kinds that a gateway serves: those that are built in, and those of the CustomResourceDefinitions in
 * the state. Every gateway follows the same state, so each serves a new kind with the cut that shows its
 * definition, and none has to be told.
 */
import { customKindsIn, remembered } from "../../../libs/cluster/custom-kinds.ts";
import { prefixOf } from "../../../libs/cluster/key.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { type Conversion, customKinds } from "../../../libs/model/custom/custom-kind.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import {
  customResourceDefinition,
  type CustomResourceDefinition,
} from "../../../libs/model/kinds/customresourcedefinition.ts";
import type { Replica } from "../../../libs/store/replica.ts";

export type Catalogue = Disposable & {
  /** Those that are always there, in all their versions. */
  readonly builtIn: readonly Kind[];
  /** Those that users have added, in all their served versions: the same list as long as none changes. */
  readonly custom: readonly Kind[];
  /** All of them: likewise. */
  readonly kinds: readonly Kind[];
};

type Cluster = { readonly replica: Replica<unknown>; readonly view: ClusterView };

export function openCatalogue(
  builtIn: readonly Kind[],
  { replica, view }: Cluster,
  /** How a definition's objects come from one version into another. */
  conversionOf: (definition: CustomResourceDefinition) => Conversion | undefined,
): Catalogue {
  const served = builtIn.flatMap((kind) => [kind, ...kind.versions]);
  const own = new Set(served.map(({ group, plural }) => `${plural}.${group}`));
  const make = remembered((definition) =>
    own.has(definition.metadata.name) ? [] : customKinds(definition, conversionOf(definition)),
  );
  const prefix = prefixOf(customResourceDefinition);
  let known: { readonly custom: readonly Kind[]; readonly kinds: readonly Kind[] } | undefined;
  const following = replica.subscribe(({ changes }) => {
    if (changes.some(({ key }) => key.startsWith(prefix))) known = undefined;
  });
  const now = () => {
    if (known !== undefined) return known;
    const custom = customKindsIn(view, make);
    known = { custom, kinds: [...served, ...custom] };
    return known;
  };
  return {
    builtIn: served,
    get custom() {
      return now().custom;
    },
    get kinds() {
      return now().kinds;
    },
    [Symbol.dispose]: () => following[Symbol.dispose](),
  };
}
