/** Answers which actors keep failing, and lets one be tried again (design §4). */
import * as z from "zod";
import type { Actors } from "../../libs/actor/runtime.ts";
import { failingSubject } from "../../libs/protocol/subjects.ts";
import { type AskAllPorts, serveAskAll } from "../../libs/cluster/ask-all.ts";

const question = z.object({
  /** An address to try again now, such as `deployments/default/web`. */
  retry: z.string().optional(),
});

/**
 * Whichever instance is asked on `berth.controllers.failing` asks all. The request is `{}` or
 * `{"retry": "<address>"}`; the answer lists what fails, each with its instance and its last error.
 */
export const serveFailing = (
  ports: AskAllPorts,
  actors: Pick<Actors, "failing" | "retry">,
): Promise<AsyncDisposable> =>
  serveAskAll(ports, failingSubject, async (data) => {
    const { retry } = parse(data);
    if (retry !== undefined) actors.retry(retry);
    return actors.failing();
  });

const parse = (data: Uint8Array) =>
  question.parse(data.byteLength === 0 ? {} : JSON.parse(new TextDecoder().decode(data)));
