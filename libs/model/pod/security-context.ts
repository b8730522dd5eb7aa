import * as z from "zod";
import { atomicList, int64 } from "../field.ts";

const id = int64.min(0);

const seLinuxOptions = z
  .strictObject({
    user: z.string().optional().meta({ proto: 1 }),
    role: z.string().optional().meta({ proto: 2 }),
    type: z.string().optional().meta({ proto: 3 }),
    level: z.string().optional().meta({ proto: 4 }),
  })
  .meta({ title: "core.v1.SELinuxOptions" });

const windowsOptions = z
  .strictObject({
    gmsaCredentialSpecName: z.string().optional().meta({ proto: 1 }),
    gmsaCredentialSpec: z.string().optional().meta({ proto: 2 }),
    runAsUserName: z.string().optional().meta({ proto: 3 }),
    hostProcess: z.boolean().optional().meta({ proto: 4 }),
  })
  .meta({ title: "core.v1.WindowsSecurityContextOptions" });

const profile = (title: string) =>
  z
    .strictObject({
      type: z.enum(["RuntimeDefault", "Localhost", "Unconfined"]).meta({ proto: 1 }),
      localhostProfile: z.string().optional().meta({ proto: 2 }),
    })
    .meta({ title });
const seccompProfile = profile("core.v1.SeccompProfile");
const appArmorProfile = profile("core.v1.AppArmorProfile");

const capabilities = z
  .strictObject({
    add: z
      .array(z.string())
      .optional()
      .meta({ proto: 1, ...atomicList }),
    drop: z
      .array(z.string())
      .optional()
      .meta({ proto: 2, ...atomicList }),
  })
  .meta({ title: "core.v1.Capabilities" });

/** Of a container; it comes before the pod's. */
export const securityContext = z
  .strictObject({
    capabilities: capabilities.optional().meta({ proto: 1 }),
    privileged: z.boolean().optional().meta({ proto: 2 }),
    seLinuxOptions: seLinuxOptions.optional().meta({ proto: 3 }),
    windowsOptions: windowsOptions.optional().meta({ proto: 10 }),
    runAsUser: id.optional().meta({ proto: 4 }),
    runAsGroup: id.optional().meta({ proto: 8 }),
    runAsNonRoot: z.boolean().optional().meta({ proto: 5 }),
    readOnlyRootFilesystem: z.boolean().optional().meta({ proto: 6 }),
    allowPrivilegeEscalation: z.boolean().optional().meta({ proto: 7 }),
    procMount: z.enum(["Default", "Unmasked"]).optional().meta({ proto: 9 }),
    seccompProfile: seccompProfile.optional().meta({ proto: 11 }),
    appArmorProfile: appArmorProfile.optional().meta({ proto: 12 }),
  })
  .meta({ title: "core.v1.SecurityContext" });

/** Of a whole pod. */
export const podSecurityContext = z
  .strictObject({
    seLinuxOptions: seLinuxOptions.optional().meta({ proto: 1 }),
    windowsOptions: windowsOptions.optional().meta({ proto: 8 }),
    runAsUser: id.optional().meta({ proto: 2 }),
    runAsGroup: id.optional().meta({ proto: 6 }),
    runAsNonRoot: z.boolean().optional().meta({ proto: 3 }),
    supplementalGroups: z
      .array(id)
      .optional()
      .meta({ proto: 4, ...atomicList }),
    supplementalGroupsPolicy: z.enum(["Merge", "Strict"]).optional().meta({ proto: 12 }),
    fsGroup: id.optional().meta({ proto: 5 }),
    fsGroupChangePolicy: z.enum(["OnRootMismatch", "Always"]).optional().meta({ proto: 9 }),
    sysctls: z
      .array(
        z
          .strictObject({
            name: z.string().min(1).meta({ proto: 1 }),
            value: z.string().meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.Sysctl" }),
      )
      .optional()
      .meta({ proto: 7, ...atomicList }),
    seccompProfile: seccompProfile.optional().meta({ proto: 10 }),
    appArmorProfile: appArmorProfile.optional().meta({ proto: 11 }),
    seLinuxChangePolicy: z.string().optional().meta({ proto: 13 }),
  })
  .meta({ title: "core.v1.PodSecurityContext" });
