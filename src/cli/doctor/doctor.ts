// `wayward doctor`: what this machine can do and why, one line each. It looks and changes nothing.
import { ConfigurationErrors, formatPosition } from '#config';
import { ConfigurationFileError, foreignDaemons, loadConfigurationFile } from '#daemon';
import { hasOpenSsl } from '#linux';
import type { Check, Verdict } from './check.ts';
import { checkFastPath, checkNode, checkPacketThreads } from './fast-path.ts';
import {
  type ConfigurationFacts,
  checkConfiguration,
  checkRecordKey,
  checkSecrets,
  checkStateFolder,
} from './files.ts';
import { checkFirewall } from './firewall.ts';
import { checkIproute, checkIpv6, checkKernelEsp, checkTun } from './kernel.ts';
import type { Machine } from './machine.ts';
import { checkNeighbours, type Neighbour } from './neighbours.ts';
import { checkPort } from './ports.ts';
import { checkPrivileges } from './privileges.ts';
import { checkForwarding, checkReversePath } from './routing.ts';
import { checkClock, checkEntropy } from './time.ts';

/** What a machine alone does not tell. */
export interface Surroundings {
  readonly configurationPath: string;
  readonly statePath: string;
  readonly configuration: ConfigurationFacts;
  readonly neighbours: readonly Neighbour[];
  readonly fastPath: boolean;
}

const standardPorts: readonly number[] = [500, 4500];

/** Everything that can be said, in the order in which an operator would put it right. */
export function examine(machine: Machine, around: Surroundings): readonly Check[] {
  const { configuration, configurationPath, statePath } = around;
  const ports = configuration.loaded ? configuration.ports : standardPorts;
  return [
    checkNode(machine),
    checkFastPath(around.fastPath),
    ...checkPacketThreads(machine, configuration),
    checkPrivileges(machine),
    checkTun(machine),
    checkKernelEsp(machine),
    checkIproute(machine),
    ...ports.map((port) => checkPort(machine, port)),
    checkNeighbours(around.neighbours),
    checkConfiguration(configurationPath, configuration),
    checkSecrets(machine, configurationPath, configuration),
    checkStateFolder(machine, statePath),
    ...checkRecordKey(machine, configurationPath, configuration),
    checkClock(machine),
    checkEntropy(machine),
    checkIpv6(machine),
    ...checkForwarding(machine),
    checkReversePath(machine),
    checkFirewall(machine, ports),
  ];
}

/** Reads the configuration and tries the ciphers: what cannot be seen through files. */
export function surroundings(configurationPath: string, statePath: string): Surroundings {
  return {
    configurationPath,
    statePath,
    configuration: configurationFacts(configurationPath),
    neighbours: foreignDaemons(),
    fastPath: hasOpenSsl(),
  };
}

function configurationFacts(path: string): ConfigurationFacts {
  try {
    const { configuration, host, warnings } = loadConfigurationFile(path);
    const { sharedSecrets, eapSecrets = [] } = configuration.credentials;
    return {
      loaded: true,
      connections: configuration.connections.length,
      secrets: sharedSecrets.length + eapSecrets.length,
      warnings: warnings.map(({ position, detail }) => `${formatPosition(position)}: ${detail}`),
      ports: [configuration.ports.ike, configuration.ports.natTraversal],
      ...(host.recordKeyPath === undefined ? {} : { recordKeyPath: host.recordKeyPath }),
      checkpoint: host.checkpoint.enabled,
      packetThreads: host.dataPlane === 'kernel' ? 1 : host.packetThreads,
    };
  } catch (error) {
    if (error instanceof ConfigurationErrors) {
      return { loaded: false, errors: error.errors.map(({ message }) => message) };
    }
    if (error instanceof ConfigurationFileError) return { loaded: false, errors: [error.message] };
    throw error;
  }
}

const widths: Readonly<Record<Verdict, string>> = {
  ok: 'ok     ',
  note: 'note   ',
  problem: 'problem',
  unseen: 'unseen ',
};

export function doctorText(checks: readonly Check[]): string[] {
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  return checks.map(
    ({ verdict, name, found, remedy }) =>
      `${widths[verdict]} ${name.padEnd(nameWidth)} ${found}${remedy === undefined ? '' : ` -> ${remedy}`}`,
  );
}

/** Whether nothing is in the way. */
export function isWell(checks: readonly Check[]): boolean {
  return checks.every(({ verdict }) => verdict !== 'problem');
}
