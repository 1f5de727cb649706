// `wayward lab recovery`: the experiment about lost state, cell by cell, as a table, as JSON, or as the document.
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  brokenPromises,
  cellName,
  cellsOf,
  defaultRecoveryPlan,
  type RecoveryCellSummary,
  type RecoveryPlan,
  recoveryDocument,
  recoveryPicture,
  recoveryPolicyNames,
  recoveryScenarioNames,
  recoveryTable,
  runRecoveryCell,
} from '#lab';

export interface LabRecoveryWords {
  readonly seeds: string;
  readonly json: boolean;
  /** Of the cells, only these; absent: all. */
  readonly scenario?: readonly string[];
  readonly policy?: readonly string[];
  /** Where the document goes; its picture goes beside it. */
  readonly write?: string;
}

export interface LabRecoveryTerminal {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Overwrites itself; absent: nobody watches. */
  readonly progress?: (text: string) => void;
}

const pictureRttMs = 100;

/** Returns whether everything that is promised holds and is written; `undefined`: the words make no sense. */
export async function labRecovery(
  words: LabRecoveryWords,
  { out, err, progress }: LabRecoveryTerminal,
): Promise<boolean | undefined> {
  const seeds = Number(words.seeds);
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > 100_000) {
    err(`--seeds ${words.seeds}: a number from 1 to 100000`);
    return undefined;
  }
  const scenarios = chosen('--scenario', words.scenario, recoveryScenarioNames, err);
  const policies = chosen('--policy', words.policy, recoveryPolicyNames, err);
  if (scenarios === undefined || policies === undefined) return undefined;
  const place = words.write;
  if (place !== undefined && !attempt(place, () => makeRoom(place), err)) return false;
  const plan: RecoveryPlan = { ...defaultRecoveryPlan, scenarios, policies, seeds };
  const cells: RecoveryCellSummary[] = [];
  const planned = cellsOf(plan);
  for (const cell of planned) {
    progress?.(`${cells.length + 1} of ${planned.length}: ${cellName(cell)}`);
    cells.push(await runRecoveryCell(cell, plan));
  }
  progress?.('');
  const broken = cells.flatMap(brokenPromises);
  const command = `wayward lab recovery --seeds ${seeds}`;
  const written = place === undefined || attempt(place, () => write(place, cells, plan, command), err);
  if (words.json) out(JSON.stringify({ command, plan, cells, broken }, undefined, 2));
  else for (const line of recoveryTable(cells)) out(line);
  for (const line of broken) err(`does not hold: ${line}`);
  return written && broken.length === 0;
}

/** All names if none is wanted; `undefined` if one is wanted that there is not. */
function chosen<Name extends string>(
  option: string,
  wanted: readonly string[] | undefined,
  names: readonly Name[],
  err: (line: string) => void,
): readonly Name[] | undefined {
  const unknown = wanted?.find((word) => !names.some((name) => name === word));
  if (unknown !== undefined) {
    err(`${option} ${unknown}: one of ${names.join(', ')}`);
    return undefined;
  }
  return wanted === undefined ? names : names.filter((name) => wanted.includes(name));
}

/** Before anything is played: whoever has waited for long should not hear then that the document has no place. */
function makeRoom(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, 'a'));
}

function attempt(path: string, work: () => void, err: (line: string) => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    err(`${path} cannot be written: ${(error as Error).message}`);
    return false;
  }
}

function write(
  path: string,
  cells: readonly RecoveryCellSummary[],
  plan: RecoveryPlan,
  command: string,
): void {
  const picture = path.replace(/(\.md)?$/, '.svg');
  const name = picture.slice(picture.lastIndexOf('/') + 1);
  const last = plan.firstSeed + plan.seeds - 1;
  writeFileSync(
    picture,
    recoveryPicture(cells, pictureRttMs, `${command}, seeds ${plan.firstSeed} to ${last}`),
  );
  writeFileSync(path, recoveryDocument(cells, plan, { command, picture: name }));
}
