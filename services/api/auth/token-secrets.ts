/** Secrets of type `kubernetes.io/service-account-token`: a token that lives as long as its Secret. */
import { admitUpdate } from "../../../libs/admission/admit.ts";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { accountUser, legacyIssuer, signToken } from "../../../libs/identity/token.ts";
import { secret as secretKind, type Secret } from "../../../libs/model/kinds/secret.ts";
import { serviceAccount } from "../../../libs/model/kinds/serviceaccount.ts";
import type { Gateway } from "../resources/gateway.ts";
import { existing, write } from "../resources/write.ts";
import type { Duty } from "./duties.ts";

const type = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

/** Fills in what a Secret of the type lacks, once its account is there. */
export function tokenSecrets({
  backendFor,
  identity,
  ports,
}: Pick<Gateway, "backendFor" | "identity" | "ports">): Duty {
  return {
    kind: secretKind,
    isDue: (object) => lacks(object as unknown as Secret), // Of that kind.
    async fulfil({ metadata: { namespace = "", name = "" } }) {
      const target = { kind: secretKind, namespace, name };
      await write(
        backendFor(secretKind),
        (context) => {
          const before = existing(context, target);
          const secret = before as unknown as Secret; // What lies at its key.
          const account = context.view.get(serviceAccount, namespace, accountOf(secret));
          const unchanged = { object: before, ops: undefined };
          if (account === undefined || !lacks(secret)) return unchanged;
          const token = signToken(identity.keys, {
            iss: legacyIssuer,
            sub: accountUser(namespace, account.metadata.name),
            "kubernetes.io/serviceaccount/namespace": namespace,
            "kubernetes.io/serviceaccount/secret.name": name,
            "kubernetes.io/serviceaccount/service-account.name": account.metadata.name,
            "kubernetes.io/serviceaccount/service-account.uid": account.metadata.uid,
          });
          const after: AnyObject & Pick<Secret, "data"> = {
            ...before,
            metadata: {
              ...before.metadata,
              annotations: {
                ...before.metadata.annotations,
                [uidAnnotation]: account.metadata.uid,
              },
            },
            data: {
              ...secret.data,
              token: base64(token),
              "ca.crt": base64(identity.authority.certificate),
              namespace: base64(namespace),
            },
          };
          return admitUpdate(secretKind, secret, after, context) ?? unchanged;
        },
        { ports, dryRun: false, target: () => target, changes: target },
      );
    },
  };
}

const accountOf = ({ metadata }: Secret): string => metadata.annotations?.[nameAnnotation] ?? "";

const lacks = (secret: Secret): boolean =>
  secret.type === type && accountOf(secret) !== "" && (secret.data?.["token"] ?? "") === "";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
