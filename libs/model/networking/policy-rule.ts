/** Ports and peers of a NetworkPolicy's rules. */
import * as z from "zod";
import { atomicList, int32 } from "../field.ts";
import { intOrString } from "../int-or-string.ts";
import { labelSelector } from "../label-selector.ts";
import { portName } from "../names.ts";
import { problem } from "../problem.ts";
import { isCidr, isWithinCidr } from "./cidr.ts";

const isPort = (number: number) => number >= 1 && number <= 65_535;
const portFault = "must be between 1 and 65535, inclusive";

export const networkPolicyPort = z
  .strictObject({
    protocol: z.enum(["SCTP", "TCP", "UDP"]).default("TCP").meta({ proto: 1 }),
    port: intOrString
      .optional()
      .meta({ proto: 2, description: "By number or by name; absent: all." }),
    endPort: int32
      .optional()
      .meta({ proto: 3, description: "The last of a range that begins at port." }),
  })
  .superRefine(({ port, endPort }, context) => {
    const say = (field: "port" | "endPort", value: number | string, detail: string) =>
      context.addIssue(
        problem("FieldValueInvalid", [field], `${JSON.stringify(value)}: ${detail}`),
      );
    if (typeof port === "number" && !isPort(port)) say("port", port, portFault);
    if (typeof port === "string" && !portName.safeParse(port).success) {
      say("port", port, "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)");
    }
    if (endPort === undefined) return;
    if (port === undefined)
      say("endPort", endPort, "may not be specified when `port` is not specified");
    else if (typeof port === "string") {
      say("endPort", endPort, "may not be specified when `port` is non-numeric");
    } else {
      if (endPort < port) say("endPort", port, "must be greater than or equal to `port`");
      if (!isPort(endPort)) say("endPort", endPort, portFault);
    }
  })
  .meta({ title: "networking.v1.NetworkPolicyPort" });

const cidrFault = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

const ipBlock = z
  .strictObject({
    cidr: z.string().meta({ proto: 1 }),
    except: z
      .array(z.string())
      .optional()
      .meta({ proto: 2, ...atomicList }),
  })
  .superRefine(({ cidr, except = [] }, context) => {
    if (cidr === "") {
      context.addIssue(problem("FieldValueRequired", ["cidr"], ""));
      return;
    }
    if (!isCidr(cidr)) {
      const detail = `${JSON.stringify(cidr)}: ${cidrFault}`;
      context.addIssue(problem("FieldValueInvalid", ["cidr"], detail));
      return;
    }
    for (const [nth, one] of except.entries()) {
      const say = (detail: string) =>
        context.addIssue(
          problem("FieldValueInvalid", ["except", nth], `${JSON.stringify(one)}: ${detail}`),
        );
      if (!isCidr(one)) say(cidrFault);
      else if (!isWithinCidr(one, cidr)) say("must be a strict subset of `cidr`");
    }
  })
  .meta({ title: "networking.v1.IPBlock" });

export const networkPolicyPeer = z
  .strictObject({
    podSelector: labelSelector.optional().meta({ proto: 1 }),
    namespaceSelector: labelSelector.optional().meta({ proto: 2 }),
    ipBlock: ipBlock.optional().meta({ proto: 3 }),
  })
  .superRefine(({ podSelector, namespaceSelector, ipBlock: block }, context) => {
    const selects = podSelector !== undefined || namespaceSelector !== undefined;
    if (block !== undefined && selects) {
      const detail = "may not specify both ipBlock and another peer";
      context.addIssue(problem("FieldValueForbidden", [], detail));
    }
    if (block === undefined && !selects) {
      context.addIssue(problem("FieldValueRequired", [], "must specify a peer"));
    }
  })
  .meta({ title: "networking.v1.NetworkPolicyPeer" });
