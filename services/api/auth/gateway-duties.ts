import type { Clock } from "../../../libs/telemetry/clock.ts";
import { secret } from "../../../libs/model/kinds/secret.ts";
import type { Gateway } from "../resources/gateway.ts";
import { fulfilDuties } from "./duties.ts";
import { clientSigner } from "./signing-requests.ts";
import { tokenSecrets } from "./token-secrets.ts";

/** Fills in tokens and signs certificates, until `signal` aborts. */
export const runGatewayDuties = (
  gateway: Gateway,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> =>
  fulfilDuties({
    duties: [tokenSecrets(gateway), clientSigner(gateway)],
    backend: gateway.backendFor(secret), // Both kinds are in the state.
    clock,
    log: gateway.log,
    signal,
  });
