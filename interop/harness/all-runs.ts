// Finds the scenarios: every folder with a scenario.ts is one.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compiledScenariosFolder, scenariosFolder } from './paths.ts';
import { bothFamilies, bothRoles, type Run, runTitle, type Scenario } from './scenario.ts';

/** All runs, in the order of their names. @param filters parts of their titles; none: all */
export async function allRuns(filters: readonly string[] = []): Promise<readonly Run[]> {
  const names = readdirSync(scenariosFolder)
    .filter((name) => existsSync(join(scenariosFolder, name, 'scenario.ts')))
    .sort();
  const runs: Run[] = [];
  for (const name of names) {
    const module: { default: Scenario } = await import(join(compiledScenariosFolder, name, 'scenario.js'));
    const scenario = module.default;
    for (const role of scenario.roles ?? bothRoles)
      for (const family of scenario.families ?? bothFamilies) runs.push({ name, scenario, role, family });
  }
  return runs.filter((run) => filters.length === 0 || filters.some((word) => runTitle(run).includes(word)));
}
