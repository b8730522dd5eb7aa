import type { PodFailurePolicy } from "../../../../libs/model/batch/job-spec.ts";
import type { Pod } from "../../../../libs/model/kinds/pod.ts";
import type { ContainerStatus } from "../../../../libs/model/pod/status.ts";

type Rule = PodFailurePolicy["rules"][number];
/** What a pod's failure means. `Count` where no rule fits, and where there is no policy. */
export type FailureAction =
  | { readonly action: "Ignore" | "Count" | "FailIndex" }
  | { readonly action: "FailJob"; readonly message: string };

/** The action of the first rule that fits. */
export function actionFor(policy: PodFailurePolicy | undefined, pod: Pod): FailureAction {
  for (const [nth, rule] of (policy?.rules ?? []).entries()) {
    const why = fits(rule, pod);
    if (why === undefined) continue;
    if (rule.action !== "FailJob") return { action: rule.action };
    return { action: "FailJob", message: `${why} matching FailJob rule at index ${nth}` };
  }
  return { action: "Count" };
}

/** Why the rule fits the pod, as the Job says it; undefined when it does not. */
function fits({ onExitCodes, onPodConditions = [] }: Rule, { metadata, status }: Pod) {
  const named = `${metadata.namespace}/${metadata.name}`;
  if (onExitCodes !== undefined) {
    const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    const found = all.find((one) => hasExitCode(one, onExitCodes));
    if (found === undefined) return undefined;
    const code = found.state.terminated?.exitCode ?? 0;
    return `Container ${found.name} for pod ${named} failed with exit code ${code}`;
  }
  const found = status?.conditions?.find((one) =>
    onPodConditions.some((wanted) => wanted.type === one.type && wanted.status === one.status),
  );
  return found && `Pod ${named} has condition ${found.type}`;
}

/** A container that exited with 0, or still runs, fits no rule. */
function hasExitCode(
  { name, state }: ContainerStatus,
  { containerName, operator, values }: NonNullable<Rule["onExitCodes"]>,
): boolean {
  const code = state.terminated?.exitCode ?? 0;
  if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
  return values.includes(code) === (operator === "In");
}
