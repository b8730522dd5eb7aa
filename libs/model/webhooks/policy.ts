/** What admission policies that validate and those that mutate have in common. */
import * as z from "zod";
import { atomicStruct } from "../field.ts";
import { labelSelector, selectorText } from "../label-selector.ts";

export const paramKind = z
  .strictObject({
    apiVersion: z.string().optional().meta({ proto: 1 }),
    kind: z.string().optional().meta({ proto: 2 }),
  })
  .meta({ title: "admissionregistration.v1.ParamKind", ...atomicStruct });
export type ParamKind = z.output<typeof paramKind>;

export const variable = z
  .strictObject({
    name: z.string().meta({ proto: 1, description: "Expressions say `variables.<name>`." }),
    expression: z.string().meta({ proto: 2 }),
  })
  .meta({ title: "admissionregistration.v1.Variable", ...atomicStruct });

export const paramRef = z
  .strictObject({
    name: z.string().optional().meta({ proto: 1 }),
    namespace: z.string().optional().meta({ proto: 2 }),
    selector: labelSelector.optional().meta({ proto: 3 }),
    parameterNotFoundAction: z.enum(["Allow", "Deny"]).optional().meta({ proto: 4 }),
  })
  .meta({ title: "admissionregistration.v1.ParamRef", ...atomicStruct });
export type ParamRef = z.output<typeof paramRef>;

/** `v1/ConfigMap`, as kubectl shows it. */
export const paramKindText = (kind: ParamKind | undefined): string =>
  kind === undefined ? "<unset>" : `${kind.apiVersion ?? ""}/${kind.kind ?? ""}`;

export function paramRefText(ref: ParamRef | undefined): string {
  if (ref === undefined) return "<unset>";
  const { namespace = "", name = "", selector } = ref;
  if (name === "") return selector === undefined ? "<unset>" : selectorText(selector);
  return namespace === "" ? `*/${name}` : `${namespace}/${name}`;
}
