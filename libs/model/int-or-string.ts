import * as z from "zod";
import { int32 } from "./field.ts";
import type { Amount } from "./rollout.ts";

/** A number, or text such as a port's name. */
export const intOrString = z.union([int32, z.string()]).meta({ format: "int-or-string" });

const isAmount = (value: unknown): value is Amount =>
  typeof value === "number"
    ? Number.isInteger(value) && value >= 0
    : percentage.test(String(value));
const percentage = /^\d{1,9}%$/;

/** A number of pods, or a percentage of those wanted. */
export const amount = z
  .custom<Amount>(isAmount, "must be a number of at least 0, or a percentage such as 25%")
  .meta({ format: "int-or-string" });

/** A port by its number or by its name. */
export const portReference = intOrString.refine(
  (value) =>
    typeof value === "number"
      ? value >= 1 && value <= 65_535
      : /^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(value) && /[a-z]/.test(value),
  "must be a port number between 1 and 65535, or a port's name",
);
