import { defineKind, type ObjectOf } from "../kind.ts";
import { labelsText } from "../label-selector.ts";
import { podTemplate as template } from "../pod/spec.ts";

export const podTemplate = defineKind({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  namespaced: true,
  description: "What pods could be made from.",
  fields: { template: template.meta({ proto: 2 }) },
  columnsAreAll: true,
  columns: [
    { name: "Name", type: "string", format: "name", read: ({ metadata }) => metadata.name },
    {
      name: "Containers",
      type: "string",
      read: (one) => one.template.spec.containers.map(({ name }) => name).join(","),
    },
    {
      name: "Images",
      type: "string",
      read: (one) => one.template.spec.containers.map(({ image }) => image).join(","),
    },
    {
      name: "Pod Labels",
      type: "string",
      read: (one) => labelsText(one.template.metadata.labels),
    },
  ],
});
export type PodTemplateObject = ObjectOf<typeof podTemplate>;
