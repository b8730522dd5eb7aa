/** For tests of what a schema refuses. */
import { ApiError } from "./errors.ts";

/**
 * The fields at fault in the refusal of `act`, each with what is said of it: `spec.a: Required value`.
 *
 * @throws {Error} when nothing was refused
 */
export function causesOf(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
  }
  throw new Error("nothing was refused");
}
