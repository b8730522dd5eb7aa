/** A stream's messages: a byte of kind, a 32-bit sequence, then what the kind says. */
export type Frame =
  | { readonly kind: "accept" }
  /** Refused before it was accepted, with a reason. */
  | { readonly kind: "refuse"; readonly reason: string }
  | { readonly kind: "data"; readonly chunk: Uint8Array }
  /** No more data from this side. */
  | { readonly kind: "end" }
  /** No more data from this side, and it reads no more. */
  | { readonly kind: "close" }
  | { readonly kind: "abort"; readonly reason: string }
  /** The reader has consumed so much of its window in all. */
  | { readonly kind: "credit"; readonly consumed: number }
  | { readonly kind: "ping" };

const kinds = ["accept", "refuse", "data", "end", "close", "abort", "credit", "ping"] as const;
const headBytes = 5;

/** @param sequence of the frames of this direction, from 0, modulo 2^32: a gap is a lost frame */
export function encodeFrame(sequence: number, frame: Frame): Uint8Array {
  const body = bodyOf(frame);
  const bytes = new Uint8Array(headBytes + body.byteLength);
  bytes[0] = kinds.indexOf(frame.kind);
  new DataView(bytes.buffer).setUint32(1, sequence);
  bytes.set(body, headBytes);
  return bytes;
}

/** `undefined` for what is no frame. */
export function decodeFrame(
  bytes: Uint8Array,
): { readonly sequence: number; readonly frame: Frame } | undefined {
  const kind = kinds[bytes[0] ?? kinds.length];
  if (kind === undefined || bytes.byteLength < headBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frame = frameOf(kind, bytes.subarray(headBytes), view);
  return frame === undefined ? undefined : { sequence: view.getUint32(1), frame };
}

function bodyOf(frame: Frame): Uint8Array {
  switch (frame.kind) {
    case "data":
      return frame.chunk;
    case "refuse":
    case "abort":
      return new TextEncoder().encode(frame.reason);
    case "credit": {
      const body = new Uint8Array(8);
      new DataView(body.buffer).setFloat64(0, frame.consumed);
      return body;
    }
    case "accept":
    case "end":
    case "close":
    case "ping":
      return new Uint8Array();
    default:
      return frame satisfies never;
  }
}

function frameOf(kind: Frame["kind"], body: Uint8Array, view: DataView): Frame | undefined {
  switch (kind) {
    case "data":
      return { kind, chunk: body };
    case "refuse":
    case "abort":
      return { kind, reason: new TextDecoder().decode(body) };
    case "credit":
      return body.byteLength < 8 ? undefined : { kind, consumed: view.getFloat64(headBytes) };
    case "accept":
    case "end":
    case "close":
    case "ping":
      return { kind };
    default:
      return kind satisfies never;
  }
}
