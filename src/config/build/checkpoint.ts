// The `wayward.checkpoint` section: whether and how a host goes on with its SAs after a restart.
import type { Findings } from '../error.ts';
import { Settings } from '../options/check.ts';
import { checkpointSchema } from '../options/wayward-options.ts';

/** What the daemon needs beside the key that it seals its records with. */
export interface CheckpointSettings {
  readonly enabled: boolean;
  readonly acrossBoot: boolean;
  readonly maxAgeMs: number;
}

const maxAgeMsMin = 10_000;

export function buildCheckpoint(wayward: Settings, findings: Findings): CheckpointSettings {
  const settings =
    wayward.sections('checkpoint')[0] ??
    new Settings({ ...wayward.section, settings: new Map(), sections: new Map() }, checkpointSchema);
  const maxAgeMs = settings.required('max_age', 'duration');
  if (maxAgeMs < maxAgeMsMin) {
    findings.error('conflict', settings.position('max_age'), 'max_age must be at least 10s');
  }
  return {
    enabled: settings.required('enabled', 'boolean'),
    acrossBoot: settings.required('across_boot', 'boolean'),
    maxAgeMs,
  };
}
