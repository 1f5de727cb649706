// When SAs are replaced and when they end, with the defaults that swanctl.conf documents.
import type { LifetimeConfiguration } from '#engine';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';

export interface IkeLifetimes {
  readonly rekeyTimeMs: number;
  readonly reauthTimeMs: number;
  readonly overTimeMs: number;
  readonly jitterTimeMs: number;
}

export function buildIkeLifetimes(settings: Settings, context: BuildContext): IkeLifetimes {
  const reauthTimeMs = settings.required('reauth_time', 'duration');
  const explicit = settings.value('rekey_time', 'duration');
  const rekeyTimeMs = explicit ?? (reauthTimeMs > 0 ? 0 : settings.required('rekey_time', 'duration'));
  const overTimeMs =
    settings.value('over_time', 'duration') ?? Math.floor(Math.max(rekeyTimeMs, reauthTimeMs) / 10);
  const shortestMs = Math.min(...[rekeyTimeMs, reauthTimeMs].filter((timeMs) => timeMs > 0));
  const explicitJitter = settings.value('rand_time', 'duration');
  if (explicitJitter !== undefined && explicitJitter >= shortestMs) {
    context.findings.error(
      'conflict',
      settings.position('rand_time'),
      'rand_time must be less than rekey_time and reauth_time',
    );
  }
  const jitterTimeMs = explicitJitter ?? defaultJitter(overTimeMs, shortestMs);
  return { rekeyTimeMs, reauthTimeMs, overTimeMs, jitterTimeMs };
}

export function buildChildLifetimes(settings: Settings, context: BuildContext): LifetimeConfiguration {
  const time = limits(settings, 'time', 'duration', context);
  const bytes = limits(settings, 'bytes', 'bytes', context);
  const packets = limits(settings, 'packets', 'count', context);
  return {
    ...(time.rekey > 0 ? { rekeyTimeMs: time.rekey } : {}),
    ...(time.life > 0 ? { lifeTimeMs: time.life } : {}),
    jitterTimeMs: time.jitter,
    ...(bytes.rekey > 0 ? { rekeyBytes: bytes.rekey } : {}),
    ...(bytes.life > 0 ? { lifeBytes: bytes.life } : {}),
    jitterBytes: bytes.jitter,
    ...(packets.rekey > 0 ? { rekeyPackets: packets.rekey } : {}),
    ...(packets.life > 0 ? { lifePackets: packets.life } : {}),
    jitterPackets: packets.jitter,
  };
}

/** Zero means no limit. */
function limits(
  settings: Settings,
  what: 'time' | 'bytes' | 'packets',
  type: 'duration' | 'bytes' | 'count',
  context: BuildContext,
): { readonly rekey: number; readonly life: number; readonly jitter: number } {
  const rekey = settings.required(`rekey_${what}`, type);
  const life = settings.value(`life_${what}`, type) ?? rekey + Math.ceil(rekey / 10);
  const explicitJitter = settings.value(`rand_${what}`, type);
  const jitter = explicitJitter ?? (rekey > 0 ? defaultJitter(Math.max(0, life - rekey), rekey) : 0);
  if (rekey > 0 && life > 0 && life <= rekey) {
    context.findings.error(
      'conflict',
      settings.position(`life_${what}`),
      `life_${what} must be more than rekey_${what}, or the SA ends before it is replaced`,
    );
  }
  if (rekey > 0 && explicitJitter !== undefined && explicitJitter >= rekey) {
    context.findings.error(
      'conflict',
      settings.position(`rand_${what}`),
      `rand_${what} must be less than rekey_${what}`,
    );
  }
  return { rekey, life, jitter };
}

/** What swanctl.conf documents, but never so much that an SA might be replaced as soon as it is there. */
function defaultJitter(documented: number, rekey: number): number {
  return Math.min(documented, Math.floor(rekey / 2));
}
