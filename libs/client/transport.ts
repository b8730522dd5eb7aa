/**
 * How a request of the Kubernetes API reaches a gateway. `https.ts` and `over-nats.ts` carry it; what
 * they answer is the same, byte for byte, as it is the same gateway that answers.
 */

export type ApiRequest = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Ends the request, and a reply that is being read. */
  readonly signal?: AbortSignal;
};

export type ApiResponse = {
  readonly code: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read to its end, or left: then whatever carries it is let go. Throws {TransportFailure}. */
  readonly body: AsyncIterable<Uint8Array>;
};

export interface Transport extends AsyncDisposable {
  /** Resolves once the reply's head is there. @throws {TransportFailure} */
  send(request: ApiRequest): Promise<ApiResponse>;
}

/** No gateway was reached, or the reply broke off: whether a write was made is not known. */
export class TransportFailure extends Error {
  override readonly name = "TransportFailure";
}
