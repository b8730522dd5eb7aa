/** For tests of what admission refuses. */
import { ApiError } from "../model/errors.ts";

/** The refusal of `act`. @throws {Error} when nothing was refused */
export function refusalOf(act: () => unknown): ApiError {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
