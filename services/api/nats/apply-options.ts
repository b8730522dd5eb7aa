/** How a manifest that comes over NATS is to be applied: what its headers say. */
import { ApiError } from "../../../libs/model/errors.ts";
import { publisherOf } from "../../../libs/protocol/subjects.ts";
import { checkedManager } from "../resources/field-manager.ts";

export type ApplyAs = {
  /** Who manages what the manifest states. */
  readonly manager: string;
  /** Takes what others manage. */
  readonly force: boolean;
  readonly dryRun: boolean;
  /** The set that the manifest is the whole of; undefined: of none. */
  readonly set: string | undefined;
};

/** @param name in lower case */
export type HeaderOf = (name: string) => string | undefined;

/** @throws {ApiError} BadRequest, Invalid: nothing of the manifest may be applied then */
export const applyAsIn = (header: HeaderOf, manager: string): ApplyAs => ({
  manager: checkedManager(manager),
  force: flagIn(header, "Berth-Force"),
  dryRun: flagIn(header, "Berth-Dry-Run"),
  set: setIn(header),
});

/** Who asks over a request names itself; else it is known as all that do not. */
export const managerIn = (header: HeaderOf): string =>
  header("berth-field-manager") || "berth-nats";

/** Who publishes is named by the subject alone. @throws {ApiError} BadRequest when a header says otherwise */
export function publisherIn(header: HeaderOf, subject: string): string {
  const publisher = publisherOf(subject);
  if ([undefined, publisher].includes(header("berth-field-manager"))) return publisher;
  throw new ApiError("BadRequest", "Berth-Field-Manager: the subject names who publishes");
}

/** Misread, it could change what was only to be looked at: nothing else than these two is understood. */
function flagIn(header: HeaderOf, name: string): boolean {
  const text = header(name.toLowerCase()) ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw new ApiError("BadRequest", `${name}: must be true or false`);
}

function setIn(header: HeaderOf): string | undefined {
  const name = header("berth-prune");
  if (name === undefined) return undefined;
  if (name.length <= setMaxChars && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) return name;
  const message = `Berth-Prune: a set's name is a DNS label of at most ${setMaxChars} characters`;
  throw new ApiError("BadRequest", message);
}

const setMaxChars = 63;
