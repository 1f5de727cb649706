// Times of a capture as people read them.

/** `+12.345`, seconds since the capture began. */
export function sinceText(firstUs: number, atUs: number): string {
  const seconds = (atUs - firstUs) / 1_000_000;
  return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(3)}`;
}

/** `2026-11-29 08:35:45 UTC`, without a clock or a calendar of the machine. */
export function dateText(atUs: number): string {
  const seconds = Math.floor(atUs / 1_000_000);
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - 86_400 * days;
  const two = (value: number): string => String(value).padStart(2, '0');
  const [year, month, day] = civil(days);
  const time = [Math.floor(rest / 3_600), Math.floor(rest / 60) % 60, rest % 60].map(two).join(':');
  return `${year}-${two(month)}-${two(day)} ${time} UTC`;
}

/** Days since 1970-01-01 to a date of the Gregorian calendar, by eras of 400 years that begin in March. */
function civil(days: number): [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}
