/** Where an Ingress sends requests, and by which of its paths. */
import * as z from "zod";
import { atomicList, atomicStruct, int32 } from "../field.ts";
import { dns1035Label, portName } from "../names.ts";
import { problem } from "../problem.ts";
import { typedLocalObjectReference } from "../references.ts";

const servicePort = z
  .strictObject({
    name: z.string().optional().meta({ proto: 1 }),
    number: int32.optional().meta({ proto: 2 }),
  })
  .superRefine(({ name = "", number = 0 }, context) => {
    if (name !== "" && number !== 0) {
      const detail = "cannot set both port name & port number";
      context.addIssue(problem("FieldValueInvalid", [], detail));
    } else if (name !== "") {
      if (portName.safeParse(name).success) return;
      const detail = `${JSON.stringify(name)}: must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)`;
      context.addIssue(problem("FieldValueInvalid", ["name"], detail));
    } else if (number === 0) {
      context.addIssue(problem("FieldValueRequired", [], "port name or number is required"));
    } else if (number < 1 || number > 65_535) {
      const detail = `${number}: must be between 1 and 65535, inclusive`;
      context.addIssue(problem("FieldValueInvalid", ["number"], detail));
    }
  })
  .meta({ title: "networking.v1.ServiceBackendPort", ...atomicStruct });

const service = z
  .strictObject({
    name: z.string().meta({ proto: 1 }),
    port: servicePort.prefault({}).meta({ proto: 2 }),
  })
  .superRefine(({ name }, context) => {
    if (name === "") {
      context.addIssue(problem("FieldValueRequired", ["name"], ""));
      return;
    }
    const [fault] = dns1035Label.safeParse(name).error?.issues ?? [];
    if (fault !== undefined) context.addIssue({ ...fault, path: ["name"] });
  })
  .meta({ title: "networking.v1.IngressServiceBackend" });

export const ingressBackend = z
  .strictObject({
    service: service.optional().meta({ proto: 4 }),
    resource: typedLocalObjectReference.optional().meta({ proto: 3 }),
  })
  .superRefine(({ service: one, resource }, context) => {
    if (one !== undefined && resource !== undefined) {
      const detail = '"": cannot set both resource and service backends';
      context.addIssue(problem("FieldValueInvalid", [], detail));
    }
    if (one === undefined && resource === undefined) {
      const detail = '"": resource or service backend is required';
      context.addIssue(problem("FieldValueInvalid", [], detail));
    }
  })
  .meta({ title: "networking.v1.IngressBackend" });
export type IngressBackend = z.output<typeof ingressBackend>;

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"] as const;
const partsRefused = ["//", "/./", "/../", "%2f", "%2F"];
const endsRefused = ["/..", "/."];

const httpPath = z
  .strictObject({
    path: z.string().optional().meta({ proto: 1 }),
    pathType: z.enum(pathTypes).meta({ proto: 3 }),
    backend: ingressBackend.meta({ proto: 2 }),
  })
  .superRefine(({ path = "", pathType }, context) => {
    const say = (detail: string) =>
      context.addIssue(
        problem("FieldValueInvalid", ["path"], `${JSON.stringify(path)}: ${detail}`),
      );
    if (pathType === "ImplementationSpecific") {
      if (path !== "" && !path.startsWith("/")) say("must be an absolute path");
      return;
    }
    if (!path.startsWith("/")) say("must be an absolute path");
    if (path === "") return;
    for (const part of partsRefused) if (path.includes(part)) say(`must not contain '${part}'`);
    for (const end of endsRefused) if (path.endsWith(end)) say(`cannot end with '${end}'`);
  })
  .meta({ title: "networking.v1.HTTPIngressPath" });

export const httpRule = z
  .strictObject({
    paths: z
      .array(httpPath)
      .min(1, "Required value")
      .meta({ proto: 1, ...atomicList }),
  })
  .meta({ title: "networking.v1.HTTPIngressRuleValue" });
