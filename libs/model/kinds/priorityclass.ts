import * as z from "zod";
import type { Cause } from "../errors.ts";
import { int32 } from "../field.ts";
import { ageColumn, defineKind, type ObjectOf } from "../kind.ts";
import { systemClasses, userPriorityMax } from "../pod/priority.ts";

export const priorityClass = defineKind({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  short: ["pc"],
  namespaced: false,
  description: "How important pods are that name it.",
  fields: {
    value: int32.default(0).meta({ proto: 2, description: "Higher is more important." }),
    globalDefault: z
      .boolean()
      .optional()
      .meta({ proto: 3, description: "Whether it is that of pods that name none." }),
    description: z.string().optional().meta({ proto: 4 }),
    preemptionPolicy: z
      .enum(["Never", "PreemptLowerPriority"])
      .default("PreemptLowerPriority")
      .meta({ proto: 5 }),
  },
  validate: ({ metadata: { name }, ...self }) => valueCauses(name, self),
  validateUpdate: (before, after) => [
    ...(before.value === after.value
      ? []
      : [
          {
            reason: "FieldValueForbidden",
            field: "value",
            message: "Forbidden: may not be changed in an update.",
          },
        ]),
    ...(before.preemptionPolicy === after.preemptionPolicy
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "preemptionPolicy",
            message: `Invalid value: "${after.preemptionPolicy}": field is immutable`,
          },
        ]),
  ],
  columns: [
    { name: "Value", type: "integer", read: ({ value }) => value },
    {
      name: "Global-Default",
      type: "boolean",
      read: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn(),
    { name: "PreemptionPolicy", type: "string", read: (one) => one.preemptionPolicy },
  ],
});
export type PriorityClass = ObjectOf<typeof priorityClass>;

type Valued = { readonly value: number; readonly globalDefault?: boolean | undefined };

function valueCauses(name: string, { value, globalDefault = false }: Valued): readonly Cause[] {
  if (name.startsWith("system-")) {
    const known = systemClasses.find((one) => one.name === name);
    const fault = known === undefined ? `${name} is not a known system priority class` : undefined;
    const wrong =
      known !== undefined && known.value !== value
        ? `value of ${name} PriorityClass must be ${known.value}`
        : known !== undefined && globalDefault
          ? `globalDefault of ${name} PriorityClass must be false`
          : fault;
    if (wrong === undefined) return [];
    const message = `Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ${wrong}`;
    return [{ reason: "FieldValueForbidden", field: "metadata.name", message }];
  }
  if (value <= userPriorityMax) return [];
  const message = `Forbidden: maximum allowed value of a user defined priority is ${userPriorityMax}`;
  return [{ reason: "FieldValueForbidden", field: "value", message }];
}
