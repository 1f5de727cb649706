// What daemons of one host say to each other about SPIs: one JSON object per line.
import { claimsOf, isBlock, isClaimableSpi, type SpiClaims, spiBlocks } from './claims.ts';
import { ownersMax, type SpiOwner } from './owner-table.ts';

/** Single SPIs are an exception: more of them per daemon are not kept. */
export const singleSpisMax = 1_024;
const nameCharactersMax = 255;
/** The longest line: a table in which every daemon holds all that it can. */
export const ownerLineCharactersMax = 1_048_576;

/** From a daemon to the one that serves the registry. */
export type MemberMessage =
  /** Everything it holds, at first and after each change. */
  | {
      readonly kind: 'hold';
      readonly name: string;
      readonly claims: SpiClaims;
      readonly blocksWanted: number;
    }
  /** It ends in order, and its SPIs are free. */
  | { readonly kind: 'leave' };

/** From the daemon that serves the registry to each of the others. */
export type RegistryMessage =
  /** The whole table after each change. Tombstones have the time that is left instead of when it ends. */
  | { readonly kind: 'table'; readonly server: string; readonly owners: readonly SpiOwner[] }
  /** Another daemon of that name runs, or there are too many. */
  | { readonly kind: 'refused'; readonly reason: 'name-in-use' | 'too-many' };

type Fields = Readonly<Record<string, unknown>>;

function objectOf(line: string): Fields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= nameCharactersMax;
}

function readClaims(value: unknown): SpiClaims | undefined {
  if (!isObject(value)) return undefined;
  const { blocks, spis } = value;
  if (!Array.isArray(blocks) || blocks.length > spiBlocks || !blocks.every(isBlock)) return undefined;
  if (!Array.isArray(spis) || spis.length > singleSpisMax || !spis.every(isClaimableSpi)) return undefined;
  return claimsOf(blocks, spis);
}

/** `undefined`: no daemon of ours says that. */
export function readMemberMessage(line: string): MemberMessage | undefined {
  const fields = objectOf(line);
  if (fields?.['kind'] === 'leave') return { kind: 'leave' };
  if (fields?.['kind'] !== 'hold') return undefined;
  const { name, blocksWanted } = fields;
  const claims = readClaims(fields['claims']);
  if (!isName(name) || claims === undefined) return undefined;
  const wanted = isBlock(blocksWanted) ? blocksWanted : undefined;
  return wanted === undefined ? undefined : { kind: 'hold', name, claims, blocksWanted: wanted };
}

/** @param at now: times in a table are relative, as two processes may count from different starts */
export function readRegistryMessage(line: string, at: number): RegistryMessage | undefined {
  const fields = objectOf(line);
  if (fields?.['kind'] === 'refused') {
    const { reason } = fields;
    return reason === 'name-in-use' || reason === 'too-many' ? { kind: 'refused', reason } : undefined;
  }
  if (fields?.['kind'] !== 'table') return undefined;
  const { server, owners } = fields;
  if (!isName(server) || !Array.isArray(owners) || owners.length > ownersMax) return undefined;
  const read: SpiOwner[] = [];
  for (const owner of owners) {
    const claims = isObject(owner) ? readClaims(owner['claims']) : undefined;
    if (claims === undefined || !isName(owner['name'])) return undefined;
    const { name, expiresInMs } = owner;
    if (expiresInMs === undefined) read.push({ name, claims });
    else if (Number.isFinite(expiresInMs)) read.push({ name, claims, expiresAt: at + expiresInMs });
    else return undefined;
  }
  return { kind: 'table', server, owners: read };
}

export function writeMemberMessage(message: MemberMessage): string {
  return JSON.stringify(message);
}

export function writeRegistryMessage(message: RegistryMessage, at: number): string {
  if (message.kind === 'refused') return JSON.stringify(message);
  const owners = message.owners.map(({ name, claims, expiresAt }) => ({
    name,
    claims,
    ...(expiresAt === undefined ? {} : { expiresInMs: Math.max(0, expiresAt - at) }),
  }));
  return JSON.stringify({ ...message, owners });
}
