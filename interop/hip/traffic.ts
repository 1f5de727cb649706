// What applications of two HIP hosts do with each other.
import { createHash, randomBytes } from 'node:crypto';
import { patienceMs } from '../harness/eventually.ts';
import { ProcessError, runProgram } from '../harness/processes.ts';
import type { HipHost } from './hip-host.ts';
import type { HipStage } from './hip-stage.ts';

const port = 7_071;
const patienceSeconds = String(patienceMs / 1_000);

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
    patienceSeconds,
    `${listen},reuseaddr`,
    'EXEC:sha256sum',
  );
  try {
    await running.waitForOutput(/listening on/);
    const { destination, namespace } = stage.path(from, by);
    const data = randomBytes(octets);
    const to = by === 'HIT' ? `TCP6:[${destination}]` : `TCP4:${destination}`;
    const words = ['socat', '-t', patienceSeconds, '-', `${to}:${port},connect-timeout=${patienceSeconds}`];
    const told = await runProgram(words, { namespace, input: data });
    const expected = createHash('sha256').update(data).digest('hex');
    if (!told.startsWith(expected)) throw new ProcessError(`TCP brought ${told.trim()}, not ${expected}`);
  } finally {
    await running.end('SIGKILL');
  }
}
