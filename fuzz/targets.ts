// Everything that reads what strangers, peers and operators send. `fuzz/corpus/<name>/` holds what to start from.
import { codecTargets } from './codec-targets.ts';
import { dataPlaneTargets } from './data-plane-targets.ts';
import { engineTargets } from './engine-targets.ts';
import { explainTargets } from './explain-targets.ts';
import { formatTargets } from './format-targets.ts';
import { hipTargets } from './hip-targets.ts';
import { insiderTargets } from './insider-targets.ts';
import type { FuzzTarget } from './target.ts';

export const targets: readonly FuzzTarget[] = [
  ...codecTargets,
  ...formatTargets,
  ...dataPlaneTargets,
  ...engineTargets,
  ...hipTargets,
  ...insiderTargets,
  ...explainTargets,
];
