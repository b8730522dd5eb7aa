/** Objects in the version that a client speaks, and in the one that is stored. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import type { Kind } from "../../../libs/model/kind.ts";

/** The kind that objects of a version are stored as. */
export const storedKind = (kind: Kind): Kind => kind.stored?.kind ?? kind;

/** What a client sent, as it is stored. */
export const asStored = ({ stored }: Kind, input: unknown): unknown =>
  stored === undefined ? input : stored.toStorage(input);

/** A stored object as a client of `kind`'s version reads it. */
export function asServed({ stored, custom }: Kind, object: AnyObject): AnyObject {
  if (custom !== undefined) return custom.served(object) as AnyObject; // As below.
  return stored === undefined ? object : (stored.fromStorage(object) as AnyObject); // Its metadata stays.
}

/** Does ahead what `asServed` may have to ask others for. */
export async function readyToServe({ custom }: Kind, objects: readonly AnyObject[]): Promise<void> {
  await custom?.prepare(objects);
}
