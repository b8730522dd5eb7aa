import * as z from "zod";
import { defineKind, type ObjectOf } from "../kind.ts";
import { isDefaultIngressClass } from "../networking/ingress-class.ts";
import { problem } from "../problem.ts";
import { ageOf } from "../time.ts";

const parameters = z
  .strictObject({
    apiGroup: z.string().optional().meta({ proto: 1 }),
    kind: z.string().min(1, "Required value").meta({ proto: 2 }),
    name: z.string().min(1, "Required value").meta({ proto: 3 }),
    scope: z.enum(["Cluster", "Namespace"]).default("Cluster").meta({ proto: 4 }),
    namespace: z.string().optional().meta({ proto: 5 }),
  })
  .superRefine(({ scope, namespace = "" }, context) => {
    if (scope === "Namespace" && namespace === "") {
      const detail = "`parameters.scope` is set to 'Namespace'";
      context.addIssue(problem("FieldValueRequired", ["namespace"], detail));
    }
    if (scope === "Cluster" && namespace !== "") {
      const detail = "`parameters.scope` is set to 'Cluster'";
      context.addIssue(problem("FieldValueForbidden", ["namespace"], detail));
    }
  })
  .meta({ title: "networking.v1.IngressClassParametersReference" });

const controllerMax = 250;

const spec = z
  .strictObject({
    controller: z.string().optional().meta({ proto: 1, description: "Who serves the class." }),
    parameters: parameters.optional().meta({ proto: 2 }),
  })
  .superRefine(({ controller = "" }, context) => {
    const shown = JSON.stringify(controller.slice(0, controllerMax));
    if (controller.length > controllerMax) {
      context.addIssue(`Too long: may not be more than ${controllerMax} bytes`);
    } else if (controller === "") {
      context.addIssue(problem("FieldValueRequired", ["controller"], ""));
    } else if (!/^[a-z0-9.-]+\/[^/]+(\/[^/]+)*$/.test(controller)) {
      const detail = `${shown}: must be a domain-prefixed path (such as "acme.io/foo")`;
      context.addIssue(problem("FieldValueInvalid", ["controller"], detail));
    }
  })
  .meta({ title: "networking.v1.IngressClassSpec" });

export const ingressClass = defineKind({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  namespaced: false,
  description: "A sort of Ingress, and who serves it.",
  spec: spec.prefault({}),
  validateUpdate: ({ spec: before }, { spec: after }) =>
    before.controller === after.controller
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "spec.controller",
            message: `Invalid value: ${JSON.stringify(after.controller)}: field is immutable`,
          },
        ],
  columnsAreAll: true,
  columns: [
    {
      name: "Name",
      type: "string",
      format: "name",
      read: (one) =>
        isDefaultIngressClass(one) ? `${one.metadata.name} (default)` : one.metadata.name,
    },
    { name: "Controller", type: "string", read: ({ spec }) => spec.controller ?? "" },
    { name: "Parameters", type: "string", read: ({ spec }) => parametersText(spec.parameters) },
    {
      name: "Age",
      type: "string",
      read: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
    },
  ],
});
export type IngressClass = ObjectOf<typeof ingressClass>;

function parametersText(given: z.output<typeof parameters> | undefined): string {
  if (given === undefined) return "<none>";
  const group = given.apiGroup === undefined ? "" : `.${given.apiGroup}`;
  return `${given.kind}${group}/${given.name}`;
}
