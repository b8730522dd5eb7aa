import { job, type Job } from "../../../libs/model/kinds/job.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { isLive } from "../../../libs/model/pod/state.ts";
import { invariant } from "../invariant.ts";
import { controllerNamed, controllerUidOf } from "../owners.ts";
import { changesOf, objectIn, objectsIn, type State } from "../state.ts";

const indexKey = "batch.kubernetes.io/job-completion-index";

/** A Job counts every pod once, and never runs more, or an index again, than it asks for (O7). */
export const jobCounts = invariant("job-counts", () => {
  /** Of each Job, the pods that have succeeded, and the indexes. */
  const done = new Map<string, { readonly pods: Set<string>; readonly indexes: Set<string> }>();
  return function* (state) {
    for (const { key, before, after } of changesOf(state, pod)) {
      const one = after ?? before;
      const name = one && controllerNamed(one, "Job");
      if (one === undefined || name === undefined) continue;
      const owner = objectIn(state, job, one.metadata.namespace, name);
      const uid = controllerUidOf(one);
      if (owner?.metadata.uid !== uid) continue;
      const ended = done.get(uid) ?? { pods: new Set(), indexes: new Set() };
      done.set(uid, ended);
      const index = one.metadata.annotations?.[indexKey];
      if (before?.metadata.uid !== after?.metadata.uid && after !== undefined) {
        if (index !== undefined && counted(owner, index)) yield `${key} runs index ${index} again`;
        yield* tooMany(state, owner);
      }
      if (after?.status?.phase === "Succeeded") {
        ended.pods.add(after.metadata.uid);
        if (index !== undefined) ended.indexes.add(index);
      }
    }
    for (const { key, after } of changesOf(state, job)) {
      const claimed = after?.status?.succeeded ?? 0;
      const real = after && (done.get(after.metadata.uid)?.pods.size ?? 0);
      if (real !== undefined && claimed > real) yield `${key} counts ${claimed}, ${real} succeeded`;
      const isComplete = after?.status?.conditions?.some(
        ({ type, status }) => type === "Complete" && status === "True",
      );
      const wanted = after?.spec.completions;
      if (isComplete === true && wanted !== undefined && claimed < wanted) {
        yield `${key} is complete with ${claimed} of ${wanted}`;
      }
    }
  };
});

const counted = ({ status }: Job, index: string): boolean =>
  (status?.completedIndexes ?? "").split(",").some((range) => {
    const [first, last = first] = range.split("-");
    return range !== "" && Number(index) >= Number(first) && Number(index) <= Number(last);
  });

function* tooMany(state: State, { metadata, spec }: Job): Iterable<string> {
  const live = [...objectsIn(state, pod)].filter(
    (one: Pod) => controllerUidOf(one) === metadata.uid && isLive(one),
  );
  const most = spec.parallelism ?? 1;
  if (live.length > most) yield `${metadata.name} runs ${live.length} pods, ${most} are allowed`;
}
