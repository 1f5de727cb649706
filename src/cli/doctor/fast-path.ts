// Whether ESP runs at its speed: koffi, the OpenSSL that is already inside Node, and processors for packet threads.
import { type Check, check } from './check.ts';
import type { ConfigurationFacts } from './files.ts';
import type { Machine } from './machine.ts';

const oldestNode = [20, 19] as const;

export function checkNode(machine: Machine): Check {
  const [major = 0, minor = 0] = machine.nodeVersion.split('.').map(Number);
  const old = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  return old
    ? check('node', 'problem', `Node ${machine.nodeVersion}`, `install Node ${oldestNode.join('.')} or later`)
    : check('node', 'ok', `Node ${machine.nodeVersion} with OpenSSL ${machine.openSslVersion}`);
}

/** @param fast whether koffi found the functions of the OpenSSL inside Node */
export function checkFastPath(fast: boolean): Check {
  return fast
    ? check('fast-path', 'ok', 'packets are sealed by the OpenSSL inside Node')
    : check(
        'fast-path',
        'note',
        'this Node hides its OpenSSL: packets are sealed by node:crypto, at a third of the speed',
        'use the Node of nodejs.org or of your distribution',
      );
}

/** Of a single thread there is nothing to say. */
export function checkPacketThreads(machine: Machine, configuration: ConfigurationFacts): readonly Check[] {
  if (!configuration.loaded || configuration.packetThreads === 1) return [];
  const { packetThreads } = configuration;
  const { processors } = machine;
  const found = `${packetThreads} packet threads on ${processors} processor${processors === 1 ? '' : 's'}`;
  return packetThreads <= processors
    ? [check('packet-threads', 'ok', found)]
    : [
        check(
          'packet-threads',
          'note',
          `${found}: some wait for others`,
          `lower wayward.packet_threads to at most ${processors}`,
        ),
      ];
}
