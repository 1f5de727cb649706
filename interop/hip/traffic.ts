// What applications of two HIP hosts do with each other.
import { createHash, randomBytes } from 'node:crypto';
import { ProcessError, runProgram } from '../harness/processes.ts';
import type { HipHost } from './hip-host.ts';
import type { HipStage } from './hip-stage.ts';

const port = 7_071;

/**
 * Random octets over TCP to a server at the other host, which returns their SHA-256.
 * @param server which addresses it listens to: all of IPv6 and IPv4, as most do, or of IPv4 only
 */
export async function tcpWithChecksum(
  stage: HipStage,
  from: HipHost,
  by: 'HIT' | 'LSI',
  server: 'any' | 'IPv4',
  octets = 1_000_000,
): Promise<void> {
  const listen = server === 'any' ? `TCP6-LISTEN:${port},ipv6only=0` : `TCP4-LISTEN:${port}`;
  const running = stage.run(
    stage.other(from),
    'socat',
    '-d',
    '-d',
    '-t',
    '10',
    `${listen},reuseaddr`,
    'EXEC:sha256sum',
  );
  try {
    await running.waitForOutput(/listening on/, 3_000);
    const { destination, namespace } = stage.path(from, by);
    const data = randomBytes(octets);
    const to = by === 'HIT' ? `TCP6:[${destination}]` : `TCP4:${destination}`;
    const words = ['socat', '-t', '10', '-', `${to}:${port},connect-timeout=5`];
    const told = await runProgram(words, { namespace, input: data, timeoutMs: 15_000 });
    const expected = createHash('sha256').update(data).digest('hex');
    if (!told.startsWith(expected)) throw new ProcessError(`TCP brought ${told.trim()}, not ${expected}`);
  } finally {
    await running.end('SIGKILL');
  }
}
