import { ApiError } from "../../../libs/model/errors.ts";

/** As Kubernetes bounds the name of a manager. */
export const managerMaxBytes = 128;

/** The name of a manager of fields. @throws {ApiError} Invalid, as Kubernetes */
export function checkedManager(name: string): string {
  const printable = !/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(name);
  if (Buffer.byteLength(name) <= managerMaxBytes && printable) return name;
  const message = printable
    ? `Too long: may not be more than ${managerMaxBytes} bytes`
    : `Invalid value: ${JSON.stringify(name.slice(0, managerMaxBytes))}: should only contain printable characters`;
  const reason = printable ? "FieldValueTooLong" : "FieldValueInvalid";
  const field = "fieldManager";
  throw new ApiError("Invalid", `fieldManager: ${message}`, {
    causes: [{ reason, field, message }],
  });
}
