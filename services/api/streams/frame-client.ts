/** Whoever is joined with a pod, whatever it speaks: frames as in v5.channel.k8s.io. */
export interface FrameClient {
  /** Hands over the client's frames, one after the other; resolves when the client has gone. */
  run(take: (frame: Uint8Array) => Promise<void>): Promise<void>;
  /** Resolves when there is room for more. @throws {Error} when the client has gone */
  write(frame: Uint8Array): Promise<void>;
  /** All is said: what was written still arrives. */
  end(): Promise<void>;
}

/** The first byte of a frame. `close` is followed by the channel that is closed. */
export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export function frameOf(to: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(payload.byteLength + 1);
  frame[0] = to;
  frame.set(payload, 1);
  return frame;
}

/** What protocols before v4 have in place of a Status: the message, and nothing when all is well. */
export function messageOf(status: Uint8Array): Uint8Array | undefined {
  const { status: outcome, message = "" } = JSON.parse(new TextDecoder().decode(status)) as {
    readonly status?: string;
    readonly message?: string;
  }; // A v1 Status.
  return outcome === "Success" ? undefined : new TextEncoder().encode(message);
}
