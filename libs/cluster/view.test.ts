import * as fc from "fast-check";
import { expect, test } from "vitest";
import { configMap } from "../model/kinds/configmap.ts";
import { type LabelSelector, matchesSelector } from "../model/label-selector.ts";
import { heldKeys } from "../store/held-keys.ts";
import { keyOf } from "./key.ts";
import { clusterView, replicaOptions } from "./view.ts";

const namespaces = fc.constantFrom("a", "b.c");
const labels = fc.dictionary<string, string>(
  fc.constantFrom("app", "x.io/tier"),
  fc.constantFrom("1", "2"),
);
const object = fc.record({ namespace: namespaces, name: fc.constantFrom("n", "m.k", "o"), labels });
const selector = fc.record(
  {
    matchLabels: labels,
    matchExpressions: fc.constant<NonNullable<LabelSelector["matchExpressions"]>>([
      { key: "app", operator: "Exists" },
    ]),
  },
  { requiredKeys: [] },
);

test("a list by index is the list without one", () => {
  fc.assert(
    fc.property(fc.array(object), namespaces, selector, (objects, namespace, wanted) => {
      const held = heldKeys<unknown>(replicaOptions.indexes);
      for (const [nth, metadata] of objects.entries()) {
        const key = keyOf(configMap, metadata.namespace, metadata.name);
        held.set({ key, value: { metadata }, revision: nth + 1 });
      }
      const view = clusterView({ ...held, revision: objects.length, revisionOf: () => 0 });
      const found = view.list(configMap, { namespace, selector: wanted }).map(nameOf);
      const all = [...held.all()].map(({ value }) => value as (typeof objects)[0] & Named);
      const expected = all
        .filter(({ metadata }) => metadata.namespace === namespace)
        .filter(({ metadata }) => matchesSelector(wanted, metadata.labels));
      expect(new Set(found)).toEqual(new Set(expected.map(nameOf)));
      expect(found).toHaveLength(expected.length);
    }),
  );
});

type Named = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
  };
};
const nameOf = ({ metadata }: Named) => metadata.name;
