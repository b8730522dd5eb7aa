/** Texts that end in a line break, whatever chunks they come in; what has no end is left out. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  for await (const chunk of chunks) {
    const parts = decoder.decode(chunk, { stream: true }).split("\n");
    for (const part of parts.slice(0, -1)) {
      yield [...begun, part].join("");
      begun = [];
    }
    begun.push(parts.at(-1) ?? "");
  }
}
