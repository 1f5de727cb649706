// What the kernel tells of SAs comes with their keys, ours and others', on a kernel in memory: nobody keeps them.
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { address, Encr, type SaParameters, type Spi, selectorOfPrefix } from '#sa';
import type { XfrmMessage } from '#wire';
import { SystemCallError } from '../../libc/errno.ts';
import { KernelDataPlane } from '../kernel-data-plane.ts';
import { KernelWithDevice } from '../testing/kernel-with-device.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import { stateKey } from './kernel-sa.ts';

const [local, remote] = [address('192.0.2.1'), address('192.0.2.2')];

/** Remembers what it has told. */
class TalkativeKernel extends KernelWithDevice {
  readonly told: XfrmMessage[] = [];

  override request(message: XfrmMessage): XfrmMessage[] {
    const answer = super.request(message);
    this.told.push(...answer);
    return answer;
  }
}

function parametersOf(spi: number): SaParameters {
  const selectors = { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.2.0.0/24')!] };
  return {
    ...{ direction: 'inbound', protocol: 'esp', mode: 'tunnel', local, remote, esn: false, selectors },
    ...{ spi: spi as Spi, replayWindow: 32, lifetimes: {} },
    encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(7) },
    ...{ childId: spi, generation: 0, copyDscp: 'out', copyDf: true },
  };
}

test('keys that come with an answer are wiped, also those of an SA that keeps ours out', () => {
  const kernel = new TalkativeKernel({});
  const plane = new KernelDataPlane('test', kernel.socket);
  assert.ok(plane.apply({ kind: 'install', sa: parametersOf(301) }, 0).ok);
  const [[, ours] = assert.fail()] = kernel.sas;
  const state = { ...ours.state, spi: 302, requestId: 1, sequence: 0 };
  kernel.sas.set(stateKey(state), { ...ours, state });
  const refused = plane.apply({ kind: 'install', sa: parametersOf(302) }, 0);
  assert.equal(refused.ok || refused.code, 'exists');
  assert.deepEqual(
    plane.foreignStates().map(({ spi }) => spi),
    [302],
  );
  assert.ok(plane.isKnown('esp', 302, local));
  plane.take({ kind: 'flush-sas', protocol: 0, attributes: {} }, 0);
  const keys = kernel.told.flatMap((message) => message.attributes.aead?.key ?? []);
  assert.ok(keys.length > 3);
  for (const key of keys) assert.deepEqual(key, new Uint8Array(key.length));
});

test('a kernel that refuses to tell leaves no socket open, at the beginning or at the end', () => {
  let closed = 0;
  let refuses = true;
  const socket = {
    request(): XfrmMessage[] {
      if (refuses) throw new SystemCallError('xfrm dump-sas', constants.errno.EPERM);
      return [];
    },
    close: () => closed++,
  } as unknown as XfrmSocket;
  assert.throws(() => new KernelDataPlane('test', socket), { code: 'EPERM' });
  assert.equal(closed, 1);
  refuses = false;
  const plane = new KernelDataPlane('test', socket);
  refuses = true;
  plane.close();
  assert.equal(closed, 2);
});
