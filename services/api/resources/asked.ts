/** What admission is asked about the writes of the gateway: who, what, with which options. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import {
  type AdmissionRequest,
  type GroupVersionKind,
  optionsOf,
  type Requester,
} from "../../../libs/webhooks/request.ts";
import { apiVersionOf, type Part } from "../../../libs/model/kind.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import type { Asks } from "./asking.ts";
import type { Target } from "./backend.ts";

/** A part of an object that is written as something else, as its scale is. */
export type AskedPart = {
  readonly subresource: string;
  readonly body: GroupVersionKind;
  readonly show: (object: AnyObject) => unknown;
  /** The object with what was made of the part. */
  readonly take: (body: unknown, object: AnyObject) => AnyObject;
};

type Written = {
  readonly user: Requester;
  readonly dryRun: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
  readonly part?: "main" | Part;
  readonly asked?: AskedPart;
};

/** @param told what is to be told beside the result is put there */
export function askedOf(
  operation: "CREATE" | "UPDATE",
  { kind, namespace, name }: Target,
  { user, dryRun, fieldManager, fieldValidation, part = "main", asked }: Written,
  told: string[],
): Asks {
  const subresource = asked?.subresource ?? (part === "main" ? "" : part);
  const options = optionsOf(operation === "CREATE" ? "CreateOptions" : "UpdateOptions", {
    ...(dryRun && { dryRun: ["All"] }),
    ...(fieldManager !== undefined && { fieldManager }),
    ...(fieldValidation !== undefined && { fieldValidation }),
  });
  const request = { operation, kind, subresource, namespace, name, user, dryRun, options };
  const warn = warnInto(told);
  if (asked === undefined) return { request, warn };
  const { body, show, take } = asked;
  return {
    request: { ...request, body },
    warn,
    shown: (object, before) => ({ object: show(object), oldObject: before && show(before) }),
    taken: take,
  };
}

/** Of what is made by a body of its own kind at an object: a binding, an eviction. */
export const askedWith = (
  {
    body,
    object,
    ...request
  }: Omit<AdmissionRequest, "operation" | "options" | "body"> & {
    readonly body: GroupVersionKind;
    readonly object: unknown;
  },
  told: string[],
): Asks => ({
  request: {
    ...request,
    body,
    operation: "CREATE",
    options: optionsOf("CreateOptions", request.dryRun ? { dryRun: ["All"] } : {}),
  },
  shown: () => ({ object, oldObject: undefined }),
  warn: warnInto(told),
});

/** A body as it was sent, with what its path says of it. */
export function bodyAt(
  kind: GroupVersionKind,
  { namespace, name }: Omit<Target, "kind">,
  body: unknown,
): JsonRecord {
  const given = isRecord(body) ? body : {};
  const metadata = isRecord(given["metadata"]) ? given["metadata"] : {};
  return {
    ...given,
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    metadata: { ...metadata, name, ...(namespace !== undefined && { namespace }) },
  };
}

/** A decision may be made anew, and says the same again. */
export const warnInto =
  (told: string[]) =>
  (text: string): void => {
    if (!told.includes(text)) told.push(text);
  };
