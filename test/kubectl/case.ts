/**
 * One invocation of kubectl and what it must print, as kubectl prints it against a Kubernetes API
 * server. What changes from run to run is written as a placeholder:
 *
 * | placeholder | stands for |
 * |---|---|
 * | `<age>` | an age, such as `5s` or `2m3s` |
 * | `<word>` | anything without a space |
 * | `<text>` | anything on the line |
 * | `<…>` on a line of its own | any number of lines |
 *
 * Columns are compared, not the number of spaces between them.
 */
export type Case = {
  /** After the program's name; single quotes hold spaces together. */
  readonly run: string;
  /** Default kubectl. */
  readonly program?: "kubectl" | "helm";
  readonly input?: string;
  /** Standard output; nothing when absent, anything when `"<…>"`. */
  readonly out?: string;
  /** Standard error, the same. */
  readonly err?: string;
  /** Exit code. */
  readonly code?: number;
  /** Run again until it prints this: it tells of what takes its time. */
  readonly until?: true;
  readonly env?: Readonly<Record<string, string>>;
  /** Where what is printed comes from: files of kubernetes/kubernetes and kubernetes/kubectl. */
  readonly source: string;
};

/** `get pods -o 'jsonpath={.items[*]}'` as its words. */
export function wordsOf(run: string): readonly string[] {
  const words = run.matchAll(/(?:[^\s']+|'[^']*')+/g);
  return [...words].map(([word]) => word.replaceAll("'", ""));
}

/** Where what was printed is not what was expected; undefined when it is. */
export function mismatch(expected: string, printed: string): string | undefined {
  const pattern = patternOf(linesOf(expected));
  const given = linesOf(printed).join("\n");
  return pattern.test(given)
    ? undefined
    : `expected:\n${linesOf(expected).join("\n")}\nprinted:\n${given}`;
}

const linesOf = (text: string): readonly string[] =>
  text
    .replace(/^\n/, "")
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd().replaceAll(/[ \t]{2,}|\t/g, "  "));

function patternOf(lines: readonly string[]): RegExp {
  const parts = lines.map((line, nth) => {
    if (line.trim() === "<…>") return nth === 0 ? "(?:[^\\n]*(?:\\n|$))*?" : "(?:\\n[^\\n]*)*?";
    const text = line.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const begins = nth === 0 || (nth === 1 && lines[0]?.trim() === "<…>") ? "" : "\\n";
    return `${begins}${text
      .replaceAll("<age>", "(?:\\d+[smhdy])+")
      .replaceAll("<word>", "\\S+")
      .replaceAll("<text>", "[^\\n]*")}`;
  });
  return new RegExp(`^${parts.join("")}\\n?$`);
}
