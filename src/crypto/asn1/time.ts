// ASN.1 times to wall-clock milliseconds (RFC 5280 4.1.2.5), without the environment's calendar.
import { type DerReader, malformed, Tag } from './der-reader.ts';

/** Reads a UTCTime or GeneralizedTime in the one form RFC 5280 allows: to the second, in Zulu. */
export function readTimeMs(reader: DerReader, field: string): number {
  const { tag, contents } = reader.any(field);
  return timeMs(tag, contents, field);
}

export function timeMs(tag: number, contents: Uint8Array, field: string): number {
  const text = String.fromCharCode(...contents.subarray(0, 16));
  const short = tag === Tag.UTC_TIME;
  if (!short && tag !== Tag.GENERALIZED_TIME) throw malformed(field, 'not a time');
  const fields = (
    short ? /^(\d{2})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  )
    .exec(text)
    ?.slice(1)
    .map(Number);
  if (fields === undefined) throw malformed(field, 'time not in the form of RFC 5280');
  const [shortYear, month, day, hour, minute, second] = fields as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // Two digits reach from 1950 to 2049.
  const year = short ? shortYear + (shortYear < 50 ? 2000 : 1900) : shortYear;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const monthDays = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  if (monthDays === undefined || day < 1 || day > monthDays || hour > 23 || minute > 59 || second > 59) {
    throw malformed(field, 'no such date');
  }
  return ((daysFromEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March so that leap days come last. */
function daysFromEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - 719_468;
}

/** `2030-01-31 12:00:00 UTC`, for messages. */
export function timeText(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  const seconds = Math.floor((ms - days * 86_400_000) / 1000);
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)} ${clock} UTC`;
}
