import * as z from "zod";
import { inner } from "../patch/list-schema.ts";

/** Metadata of a schema or of what it wraps, the outermost first. */
export function metaOf(schema: z.core.$ZodType, name: "proto" | "format" | "pointer"): unknown {
  for (let at: z.core.$ZodType | undefined = schema; at !== undefined; at = inner(at)) {
    const found: unknown = z.globalRegistry.get(at)?.[name];
    if (found !== undefined) return found;
  }
  return undefined;
}
