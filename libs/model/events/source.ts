import * as z from "zod";

/** Who said it, as old clients tell it. */
export const eventSource = z
  .strictObject({
    component: z.string().optional().meta({ proto: 1 }),
    host: z.string().optional().meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.EventSource" });
