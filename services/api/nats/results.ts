import type { ApiError } from "../../../libs/model/errors.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { refusalOf } from "../http/server.ts";
import { isRecord } from "../patch/record.ts";
import type { Applied } from "./apply.ts";

/** What came of one document, or of one object that none names any more. */
export type Result =
  | {
      readonly ok: true;
      readonly action: Applied["action"] | "pruned";
      readonly object: Reference;
    }
  | { readonly ok: false; readonly document: Reference; readonly status: unknown };

type Reference = {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
};

/** What all results together may say; those after it are cut short. A message holds at most 8 MB. */
const statusesMaxChars = 2 * 1024 * 1024;
const shortMaxChars = 300;

/** The results of one manifest, in the order in which they came. */
export type Results = {
  readonly all: readonly Result[];
  done(action: (Result & { ok: true })["action"], object: unknown): void;
  /** @param about what was refused, as far as that is known */
  refused(error: unknown, about: unknown): void;
};

export function resultsOf(log: Log): Results {
  const all: Result[] = [];
  let saidChars = 0;
  return {
    all,
    done: (action, object) => void all.push({ ok: true, action, object: referenceOf(object) }),
    refused(error, about) {
      const refusal = refusalOf(error, log);
      const status = saidChars < statusesMaxChars ? refusal.toStatus() : inShort(refusal);
      saidChars += JSON.stringify(status).length;
      all.push({ ok: false, document: referenceOf(about), status });
    },
  };
}

const inShort = (error: ApiError) => ({
  ...error.toStatus(),
  message: error.message.slice(0, shortMaxChars),
  details: {},
});

/** What an object says that it is; read with care, it may be just what a user wrote. */
function referenceOf(object: unknown): Reference {
  if (!isRecord(object)) return {};
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, uid, resourceVersion } = isRecord(metadata) ? metadata : {};
  const texts = Object.entries({ apiVersion, kind, namespace, name, uid, resourceVersion });
  return Object.fromEntries(
    texts.flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value.slice(0, shortMaxChars)]] : [],
    ),
  );
}
