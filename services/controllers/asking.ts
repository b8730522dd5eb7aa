/**
 * What webhooks and policies have to say of a turn's writes. A turn decides without waiting; where
 * somebody must be asked it is decided again with the answers, until nothing is left to ask.
 */
import { dequal } from "dequal";
import type { Around, Turn } from "../../libs/actor/behaviour.ts";
import type { Admitted } from "../../libs/admission/context.ts";
import { keyOf } from "../../libs/cluster/key.ts";
import { ApiError } from "../../libs/model/errors.ts";
import type { Kind } from "../../libs/model/kind.ts";
import type { Op } from "../../libs/store/store.ts";
import type { AdmissionHooks, Concerning } from "../../libs/webhooks/admission-hooks.ts";
import {
  type AdmissionRequest,
  type Objects,
  optionsOf,
  type Requester,
  unborn,
} from "../../libs/webhooks/request.ts";

/** As whom the controllers write. */
const controllersUser: Requester = {
  username: "system:serviceaccount:kube-system:berth-controllers",
  groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
};

type Answer = {
  /** What was to be written when it was asked: of anything else it is no answer. */
  readonly asked: unknown;
  /** What those that mutate have made of it. */
  readonly made?: unknown;
  readonly refusal?: ApiError;
  /** Those that validate have nothing against it. */
  readonly approved: boolean;
};
export type Answers = Map<string, Answer>;

type Question = {
  readonly key: string;
  readonly asked: unknown;
  readonly ask: (signal: AbortSignal) => Promise<Omit<Answer, "asked">>;
  /** The turn stands as it is when this is answered with yes. */
  readonly settles: boolean;
};

/** What a turn is told and what it leaves open. */
export type Interview = {
  readonly hooks: AdmissionHooks;
  readonly answers: Answers;
  readonly open: Question[];
};

export type Judged = {
  readonly kind: Kind;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly namespace: string | undefined;
  readonly name: string;
  /** As it is to be written; of a deletion, as it is. */
  readonly input: unknown;
  readonly before: unknown;
};

/**
 * The transaction of a write that webhooks and policies allow; nothing of it while it is still asked.
 *
 * @param admit what is to be written, through admission; undefined: it would change nothing
 * @throws {ApiError} admission's refusal, or theirs
 */
export function judgedOps(
  write: Judged,
  interview: Interview | undefined,
  admit: (input: unknown) => Admitted<unknown> | undefined,
): readonly Op[] {
  const { input } = write;
  if (interview === undefined) return admit(input)?.ops ?? [];
  const { hooks, answers, open } = interview;
  const request = requestOf(write);
  const concerning = hooks.concerning(request);
  const key = `${write.operation} ${keyOf(write.kind, write.namespace, write.name)}`;
  const found = concerning && answers.get(key);
  const answer = found !== undefined && dequal(found.asked, input) ? found : undefined;
  if (concerning !== undefined && answer === undefined) {
    const objects = firstObjects(write, request, admit);
    open.push({
      key,
      asked: input,
      settles: false,
      ask: (signal) => made(concerning, objects, signal),
    });
    return [];
  }
  if (answer?.refusal !== undefined) throw answer.refusal;
  const admitted = admit(answer?.made ?? input);
  if (admitted === undefined) return [];
  const objects = objectsOf(write, admitted.object);
  hooks.check(request, objects, unheard);
  if (concerning !== undefined && answer?.approved === false) {
    const ask: Question["ask"] = async (signal) => {
      await concerning.validate(objects, unheard, signal);
      return { made: answer.made, approved: true };
    };
    open.push({ key, asked: input, settles: true, ask });
  }
  return admitted.ops;
}

/** Nobody reads what controllers are warned of. */
const unheard = (): void => undefined;

function requestOf({ kind, operation, namespace, name }: Judged): AdmissionRequest {
  const verb = {
    CREATE: "CreateOptions",
    UPDATE: "UpdateOptions",
    DELETE: "DeleteOptions",
  } as const;
  const options = optionsOf(verb[operation], {});
  const about = { operation, kind, namespace, name, subresource: "", dryRun: false, options };
  return { ...about, user: controllersUser };
}

const objectsOf = ({ operation, before }: Judged, object: unknown): Objects => ({
  object: operation === "DELETE" ? undefined : object,
  oldObject: before,
});

/** As it would be without webhooks; what admission would refuse for its fields is shown as it is. */
function firstObjects(
  write: Judged,
  request: AdmissionRequest,
  admit: (input: unknown) => Admitted<unknown> | undefined,
): Objects {
  const whole = () => {
    try {
      return admit(write.input)?.object ?? write.before;
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== "Invalid") throw error;
      return write.input;
    }
  };
  if (write.operation === "DELETE") return objectsOf(write, undefined);
  // Every object has metadata.
  return objectsOf(
    write,
    unborn(whole() as { readonly metadata: Record<string, unknown> }, request),
  );
}

async function made(
  concerning: Concerning,
  objects: Objects,
  signal: AbortSignal,
): Promise<Omit<Answer, "asked">> {
  if (!concerning.mutates) return { approved: false };
  return { made: await concerning.mutate(objects, unheard, signal), approved: false };
}

/** So often a turn is decided with new answers before it gives up and is tried again later. */
const roundsMax = 6;
const askedAtOnce = 16;

/**
 * Asks what is open and decides again.
 *
 * @param decide a turn with the answers so far, at the cut as it is, and what it leaves open
 * @throws {Error} when what is to be written changes faster than it is answered
 */
export async function settled(
  decide: (
    answers: Answers,
    now: number,
  ) => {
    readonly turn: Turn | undefined;
    readonly open: readonly Question[];
  },
  { now, signal }: Around,
): Promise<Turn | undefined> {
  const answers: Answers = new Map();
  for (let round = 0; round < roundsMax; round += 1) {
    const { turn, open } = decide(answers, now());
    if (open.length === 0) return turn;
    const allowed = await askAll(open, answers, signal);
    if (allowed && open.every(({ settles }) => settles)) return turn;
  }
  throw new Error("what is to be written changes while webhooks are asked about it");
}

/** @returns whether nothing was refused */
async function askAll(
  open: readonly Question[],
  answers: Answers,
  signal: AbortSignal,
): Promise<boolean> {
  let allowed = true;
  const waiting = open.values();
  const work = async () => {
    for (const { key, asked, ask } of waiting) {
      try {
        answers.set(key, { asked, ...(await ask(signal)) });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        allowed = false;
        answers.set(key, { asked, refusal: error, approved: false });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(askedAtOnce, open.length) }, work));
  return allowed;
}
