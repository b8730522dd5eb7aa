/** Kubernetes' order of API versions: `v2` before `v1`, before `v1beta2`, `v1beta1`, `v1alpha1`, then others. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  if (left === undefined || right === undefined) {
    if (left === undefined && right === undefined) return a < b ? -1 : a > b ? 1 : 0;
    return left === undefined ? 1 : -1;
  }
  for (const [at, rank] of left.entries()) {
    const difference = (right[at] ?? 0) - rank;
    if (difference !== 0) return difference;
  }
  return 0;
}

const stages = ["alpha", "beta", "stable"];

/** Stage, major version, version of the stage. */
function rankOf(version: string): readonly number[] | undefined {
  const match = /^v([1-9]\d{0,8})(?:(alpha|beta)([1-9]\d{0,8}))?$/.exec(version);
  if (match === null) return undefined;
  const [, major, stage = "stable", minor = "0"] = match;
  return [stages.indexOf(stage), Number(major), Number(minor)];
}
