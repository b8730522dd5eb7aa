import { describe, expect, test } from "vitest";
import { parse } from "../model/errors.ts";
import { pod as podKind } from "../model/kinds/pod.ts";
import { withOwnLabels } from "./prepare-terms.ts";

const labels = { app: "web", version: "2" };
const selector = { matchLabels: { app: "web" } };
const podWith = (spec: object) =>
  parse(podKind, {
    metadata: { name: "web", namespace: "default", labels },
    spec: { containers: [{ name: "web", image: "web" }], ...spec },
  });
const term = (more: object) => ({ topologyKey: "zone", ...more });

describe("a term that means pods with the pod's own labels", () => {
  test.each([
    {
      what: "their value",
      given: { labelSelector: selector, matchLabelKeys: ["version"] },
      added: [{ key: "version", operator: "In", values: ["2"] }],
    },
    {
      what: "another value",
      given: { labelSelector: selector, mismatchLabelKeys: ["version"] },
      added: [{ key: "version", operator: "NotIn", values: ["2"] }],
    },
    {
      what: "nothing of a label that the pod has not",
      given: { labelSelector: selector, matchLabelKeys: ["tier"] },
      added: undefined,
    },
    {
      what: "nothing where nothing is selected",
      given: { matchLabelKeys: ["version"] },
      added: undefined,
    },
  ])("selects $what", ({ given, added }) => {
    const required = "requiredDuringSchedulingIgnoredDuringExecution" as const;
    const made = withOwnLabels(
      podWith({
        affinity: {
          podAffinity: { [required]: [term(given)] },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: term(given) },
            ],
          },
        },
      }),
    );
    const { podAffinity, podAntiAffinity } = made.spec.affinity ?? {};
    const [must] = podAffinity?.[required] ?? [];
    const [wish] = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    expect(must?.labelSelector?.matchExpressions).toEqual(added);
    expect(wish?.podAffinityTerm).toEqual(must);
  });

  test("is a topology spread constraint too", () => {
    const spread = { maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", labelSelector: selector };
    const made = withOwnLabels(
      podWith({ topologySpreadConstraints: [term({ ...spread, matchLabelKeys: ["version"] })] }),
    );
    expect(made.spec.topologySpreadConstraints).toMatchObject([
      {
        labelSelector: {
          ...selector,
          matchExpressions: [{ key: "version", operator: "In", values: ["2"] }],
        },
      },
    ]);
  });
});
