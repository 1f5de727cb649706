// Times of a capture as people read them.
import { timeText } from '#crypto';

/** `+12.345`, seconds since the capture began. */
export function sinceText(firstUs: number, atUs: number): string {
  const seconds = (atUs - firstUs) / 1_000_000;
  return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(3)}`;
}

/** `2026-11-29 08:35:45 UTC`, without a clock or a calendar of the machine. */
export function dateText(atUs: number): string {
  return timeText(Math.floor(atUs / 1000));
}
