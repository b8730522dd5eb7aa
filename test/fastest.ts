/**
 * Measures something with a deadline, and once more where it was late: what else a busy machine does
 * only adds, so the faster of two is the better judge of Berth.
 *
 * @param measure takes the number of its attempt, and gives ms
 */
export async function fastest(
  what: string,
  deadlineMs: number,
  measure: (attempt: number) => Promise<number>,
): Promise<number> {
  const taken: number[] = [];
  for (const attempt of [1, 2]) {
    const tookMs = Math.round(await measure(attempt));
    console.log(`${what}: ${tookMs} ms`);
    taken.push(tookMs);
    if (tookMs < deadlineMs) break;
  }
  return Math.min(...taken);
}
