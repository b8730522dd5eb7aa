/** Decoding what a client sent, as far as it takes the kind's schema: types, and fields that there are. */
import { conform, type Path } from "../../../libs/model/conform.ts";
import {
  ApiError,
  type Cause,
  fieldOf,
  invalid,
  nameIn,
  parse,
} from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { isRecord } from "../patch/record.ts";

export type FieldValidation = "Strict" | "Warn" | "Ignore";

export type Validated = { readonly input: unknown; readonly warnings: readonly string[] };

export type ValidateOptions = {
  readonly mode: FieldValidation;
  /** What the client sent: the object, or a patch that made it. */
  readonly sent: "object" | "patch";
  /** Fields that the text of what was sent has twice. */
  readonly duplicates?: readonly string[];
};

type Sort<O = unknown> = Pick<Kind<O>, "group" | "version" | "kind" | "schema" | "custom">;

/** As much of a field's path as a message shows. */
const pathMaxChars = 300;

/**
 * The object without the fields that the kind does not know. Whether values of the right type are
 * allowed is left to admission.
 *
 * A value of the wrong type is refused, as is an unknown field under Strict: an object with 400
 * BadRequest, the outcome of a patch with 422 Invalid, as in Kubernetes.
 *
 * @throws {ApiError} BadRequest or Invalid, naming every such field
 */
export function validateFields(
  kind: Sort,
  input: unknown,
  { mode, sent, duplicates = [] }: ValidateOptions,
): Validated {
  const { value, unknown, mistyped } = kind.custom?.decode(input) ?? conform(kind.schema, input);
  if (mistyped.length > 0) {
    const causes = mistyped.map(({ path, message }) =>
      causeOf("FieldValueTypeInvalid", path, message),
    );
    throw refusal(kind, input, { causes, sent, strict: false });
  }
  const causes = [
    ...duplicates.map((field) => {
      const message = `duplicate field "${field.slice(0, pathMaxChars)}"`;
      return { reason: "FieldValueInvalid", field: field.slice(0, pathMaxChars), message };
    }),
    ...unknown.map((path) => causeOf("FieldValueInvalid", path, `unknown field "${shown(path)}"`)),
  ];
  const messages = causes.map(({ message }) => message);
  if (mode === "Strict" && causes.length > 0) {
    throw refusal(kind, input, { causes, sent, strict: true });
  }
  return { input: value, warnings: mode === "Warn" ? messages : [] };
}

/**
 * What is asked beside objects, such as an Eviction or DeleteOptions: what it knows, checked.
 *
 * @throws {ApiError} BadRequest for wrong types, Invalid for wrong values
 */
export function parseAsked<O>(sort: Sort<O>, input: unknown): O {
  if (!isRecord(input)) throw new ApiError("BadRequest", `the body is not valid ${sort.kind}`);
  return parse(sort, validateFields(sort, input, { mode: "Ignore", sent: "object" }).input);
}

const causeOf = (reason: string, path: Path, message: string): Cause => ({
  reason,
  field: shown(path),
  message,
});

function shown(path: Path): string {
  const text = fieldOf(path);
  return text.length > pathMaxChars ? `${text.slice(0, pathMaxChars)}…` : text;
}

function refusal(
  kind: Sort,
  input: unknown,
  {
    causes,
    sent,
    strict,
  }: {
    readonly causes: readonly Cause[];
    readonly sent: "object" | "patch";
    readonly strict: boolean;
  },
): ApiError {
  const texts = causes.map(({ field, message }) =>
    strict || field === "" ? message : `${field}: ${message}`,
  );
  const what = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
  const why = strict ? "strict decoding error: " : "";
  if (sent === "patch") {
    const said = causes.map((cause) => ({ ...cause, message: `${why}${cause.message}` }));
    return invalid(kind, nameIn(input), said);
  }
  return new ApiError("BadRequest", `${what}: ${why}${texts.join(", ")}`, { causes });
}
