import { styleText } from "node:util";

export interface Progress {
  /** Shows that something begins, and how long it took or that it failed. */
  step<T>(what: string, act: () => Promise<T>): Promise<T>;
  note(what: string): void;
}

/** Progress for people: a line a step, on stderr. */
export function printedProgress(): Progress {
  const out = process.stderr;
  return {
    async step(what, act) {
      const begun = performance.now();
      if (out.isTTY) out.write(`  … ${what}`);
      const end = (mark: string) => {
        const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
        out.write(`${out.isTTY ? "\r\u001b[2K" : ""}  ${mark} ${what} (${seconds} s)\n`);
      };
      try {
        const result = await act();
        end(styleText("green", "✓", { stream: out }));
        return result;
      } catch (error) {
        end(styleText("red", "✗", { stream: out }));
        throw error;
      }
    },
    note: (what) => void out.write(`  ${what}\n`),
  };
}

export const silentProgress: Progress = { step: (_what, act) => act(), note: () => undefined };
