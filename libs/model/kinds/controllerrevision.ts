import { dequal } from "dequal";
import * as z from "zod";
import { int64 } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";

export const controllerRevision = defineKind({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  namespaced: true,
  description: "What a StatefulSet or a DaemonSet was at one of its revisions.",
  fields: {
    data: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ proto: 2, format: "fields-v1", description: "A patch that makes it so again." }),
    revision: int64.default(0).meta({ proto: 3, description: "Rises with each change." }),
  },
  validate: ({ revision }) =>
    revision >= 0
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "revision",
            message: `Invalid value: ${revision}: must be greater than or equal to 0`,
          },
        ],
  validateUpdate: (before, after) =>
    dequal(before.data, after.data)
      ? []
      : [
          {
            reason: "FieldValueInvalid",
            field: "data",
            message: "Invalid value: field is immutable",
          },
        ],
  columns: [
    {
      name: "Controller",
      type: "string",
      read({ metadata: { ownerReferences = [] } }) {
        const owner = ownerReferences.find(({ controller }) => controller === true);
        if (owner === undefined) return "<none>";
        const [group, version] = owner.apiVersion.split("/");
        const suffix = version === undefined ? "" : `.${group}`;
        return `${owner.kind.toLowerCase()}${suffix}/${owner.name}`;
      },
    },
    { name: "Revision", type: "integer", read: ({ revision }) => revision },
  ],
});
export type ControllerRevision = ObjectOf<typeof controllerRevision>;
