/** How a key is a subject of the bucket's stream. */

const keyPattern = /^[-/_=a-zA-Z0-9]+(?:\.[-/_=a-zA-Z0-9]+)*$/;
/** A subject travels on the protocol's control line, which the server bounds at 4,096 bytes. */
const keyLengthMax = 1_024;

export const isKey = (key: string): boolean => key.length <= keyLengthMax && keyPattern.test(key);

export const streamOf = (bucket: string): string => `KV_${bucket}`;
export const subjectOf = (bucket: string, key: string): string => `$KV.${bucket}.${key}`;
export const keyOfSubject = (bucket: string, subject: string): string =>
  subject.slice(`$KV.${bucket}.`.length);

/** The narrowest subject filter for keys that begin with `prefix`; what it lets through too is filtered here. */
export function filterOf(bucket: string, prefix: string): string {
  const whole = prefix.slice(0, prefix.lastIndexOf(".") + 1);
  return `${subjectOf(bucket, whole)}>`;
}
