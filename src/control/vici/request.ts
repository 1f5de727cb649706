// Reading what a request holds: texts, numbers, yes and no.
import { octetsOfViciItem, type ViciMessage, viciText } from '#wire';
import { CommandRefused } from './host.ts';

export function isYes(request: ViciMessage, name: string): boolean {
  return viciText(request, name) === 'yes';
}

/** @throws CommandRefused with `missing` if there is none */
export function requiredText(request: ViciMessage, name: string, missing: string): string {
  const text = viciText(request, name);
  if (text === undefined) throw new CommandRefused(missing);
  return text;
}

/** @throws CommandRefused if it is no whole number */
export function optionalNumber(request: ViciMessage, name: string): number | undefined {
  const text = viciText(request, name);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new CommandRefused(`invalid ${name}: ${text}`);
  return Number(text);
}

/** @throws CommandRefused with `missing` if there are none */
export function requiredOctets(request: ViciMessage, name: string, missing: string): Uint8Array {
  const value = request[name];
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) throw new CommandRefused(missing);
  return octetsOfViciItem(value);
}

/** A list of texts; what is no text in it is refused. */
export function texts(request: ViciMessage, name: string): readonly string[] {
  const value = request[name];
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new CommandRefused(`${name} is no list`);
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw new CommandRefused(`${name} holds something that is no text`);
    return item;
  });
}

/** The sections of a request that is nothing but named sections. */
export function sections(request: ViciMessage): readonly (readonly [string, ViciMessage])[] {
  return Object.entries(request).map(([name, value]) => {
    if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) {
      throw new CommandRefused(`${name} is no section`);
    }
    return [name, value as ViciMessage] as const;
  });
}
