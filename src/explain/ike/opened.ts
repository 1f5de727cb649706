// An exchange that was opened with keys, as the readers of its kinds take it.
import type { Payload, SaPayload, TsPayload } from '#wire';
import type { Sighting } from '../story.ts';
import { selectorText } from './payload-text.ts';
import type { TrackedExchange, TrackedIkeSa } from './tracked-ike-sa.ts';

export interface Opened {
  readonly sa: TrackedIkeSa;
  readonly exchange: TrackedExchange;
  /** What the request holds; nothing if it was not captured or not opened. */
  readonly request: readonly Payload[];
  readonly response: readonly Payload[];
  readonly at: Sighting;
  readonly asker: string;
  readonly other: string;
}

export function saOf(payloads: readonly Payload[]): SaPayload | undefined {
  return payloads.find((payload): payload is SaPayload => payload.type === 'SA');
}

export function selectorsOf(payloads: readonly Payload[], type: TsPayload['type']): string[] {
  const payload = payloads.find((one): one is TsPayload => one.type === type);
  return payload?.selectors.map(selectorText) ?? [];
}
