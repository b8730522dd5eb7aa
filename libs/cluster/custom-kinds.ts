/** The kinds that users have added, as a cut of the state has them. */
import { customKinds } from "../model/custom/custom-kind.ts";
import { compareVersions } from "../model/custom/version-order.ts";
import { apiVersionOf, type Kind } from "../model/kind.ts";
import {
  customResourceDefinition,
  type CustomResourceDefinition,
} from "../model/kinds/customresourcedefinition.ts";
import type { ClusterView } from "./view.ts";

type Make = (definition: CustomResourceDefinition) => readonly Kind[];

/** Of a definition that is the same object nothing is made anew: its schema is compiled once. */
export function remembered(make: Make): Make {
  const made = new WeakMap<CustomResourceDefinition, readonly Kind[]>();
  return (definition) => {
    const known = made.get(definition) ?? make(definition);
    made.set(definition, known);
    return known;
  };
}

const plain = remembered((definition) => customKinds(definition));

type Known<T> = { readonly of: readonly CustomResourceDefinition[]; readonly value: T };

/** What follows from a view's definitions, made anew only when one of them is another. */
function following<T>(
  make: (of: readonly CustomResourceDefinition[]) => T,
): (view: ClusterView) => T {
  const known = new WeakMap<object, Known<T>>();
  return (view) => {
    const of = view.list(customResourceDefinition);
    const before = known.get(view.raw);
    const same = before?.of.length === of.length && before.of.every((one, at) => one === of[at]);
    if (before !== undefined && same) return before.value;
    const value = make(of);
    known.set(view.raw, { of, value });
    return value;
  };
}

/** In all their served versions: by group, the preferred version first, then by name. */
export function customKindsIn(view: ClusterView, make: Make): readonly Kind[] {
  return kindsOf(view.list(customResourceDefinition), make);
}

function kindsOf(definitions: readonly CustomResourceDefinition[], make: Make): readonly Kind[] {
  return definitions
    .flatMap(make)
    .toSorted(
      (a, b) =>
        compareTexts(a.group, b.group) ||
        compareVersions(a.version, b.version) ||
        compareTexts(a.plural, b.plural),
    );
}

const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** One kind for each definition, for what does not care about versions: its objects' keys, their metadata. */
export const customResourcesIn: (view: ClusterView) => readonly Kind[] = following((definitions) =>
  definitions.flatMap((one) => plain(one).slice(0, 1).map(asKept)),
);

/** The kind of `apiVersion` and `kind`, in whichever version. */
export function customResourceNamed(
  view: ClusterView,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): Kind | undefined {
  const found = allIn(view).find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);
  return found && asKept(found);
}

const allIn = following((definitions) => definitions.flatMap(plain));

const kept = new WeakMap<Kind, Kind>();

/**
 * The kind for those who change no more than metadata: what the object holds beside is as it was, in the
 * version that it is stored in, and is not judged again.
 */
function asKept(kind: Kind): Kind {
  const known = kept.get(kind);
  if (known !== undefined || kind.custom === undefined) return known ?? kind;
  const made = { ...kind, custom: { ...kind.custom, parse: (value: unknown) => value } };
  kept.set(kind, made);
  return made;
}
