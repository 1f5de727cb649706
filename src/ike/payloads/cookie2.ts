// COOKIE2: whoever returns it has seen the request (RFC 4555 3.7, 4.2.5).
import { equalConstantTime } from '#crypto';
import { type NotifyPayload, NotifyType, type Payload } from '#wire';
import { findNotify, notify } from './notify.ts';

/** Of ours: nobody guesses it. */
export const cookie2Bytes = 16;
const bytesMin = 8;
const bytesMax = 64;

export function cookie2(value: Uint8Array): NotifyPayload {
  return notify(NotifyType.COOKIE2, value);
}

/** What goes back for the COOKIE2 of a request, as it is. */
export function returnedCookie2(request: readonly Payload[]): NotifyPayload[] {
  const asked = findNotify(request, NotifyType.COOKIE2);
  if (asked === undefined || asked.data.length < bytesMin || asked.data.length > bytesMax) return [];
  return [cookie2(asked.data.slice())];
}

/** Whether an answer has the value that was sent. */
export function returnsCookie2(answer: readonly Payload[], sent: Uint8Array): boolean {
  const returned = findNotify(answer, NotifyType.COOKIE2);
  return returned !== undefined && equalConstantTime(returned.data, sent);
}
