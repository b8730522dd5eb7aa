/** DNS over TCP: each message behind its length in two bytes (RFC 1035, 4.2.2). */
export function frames() {
  let pending = Buffer.alloc(0);
  return {
    /** The messages that are whole with `chunk`; at most 64 KiB wait for their rest. */
    push(chunk: Uint8Array): Uint8Array[] {
      pending = Buffer.concat([pending, chunk]);
      const whole: Uint8Array[] = [];
      while (pending.byteLength >= 2) {
        const size = pending.readUInt16BE(0);
        if (pending.byteLength < 2 + size) break;
        whole.push(pending.subarray(2, 2 + size));
        pending = pending.subarray(2 + size);
      }
      return whole;
    },
    framed(message: Uint8Array): Uint8Array {
      const framed = Buffer.alloc(2 + message.byteLength);
      framed.writeUInt16BE(message.byteLength, 0);
      framed.set(message, 2);
      return framed;
    },
  };
}
