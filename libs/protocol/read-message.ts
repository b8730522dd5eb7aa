import type * as z from "zod";

const decoder = new TextDecoder();

/** What a JSON message says; undefined when it is no JSON, or not what `schema` describes. */
export function readMessage<T>(schema: z.ZodType<T>, data: Uint8Array): T | undefined {
  try {
    return schema.safeParse(JSON.parse(decoder.decode(data))).data;
  } catch {
    return undefined; // No JSON: as much unheard as what does not fit.
  }
}
