import { type DestinationStream, type Logger, pino } from "pino";

/** A structured log: constant messages, facts as fields, units in the fields' names. */
export type Log = Logger;
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/**
 * A service's root log: one JSON line an event on stdout, or on `destination`.
 *
 * Fields that may hold secrets are redacted here, whatever the caller logs. Levels: error, somebody
 * must act; warn, worth a look, it is being handled; info, a change of the service's own state;
 * debug, each turn.
 */
export function createLog(service: string, level: LogLevel, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: redacted, censor: "[redacted]" },
    },
    destination ?? pino.destination({ fd: 1, sync: false }),
  );
}

const secretFields = ["data", "stringData", "token", "authorization", "env", "value", "password"];
const redacted = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
