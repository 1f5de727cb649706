// Keys of every kind, certificates, an authority, a pool and connections, brought by swanctl to daemons that have nothing:
// both list the same, and each kind of key makes a tunnel.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectVici } from '#vici';
import { runProgram } from '../../harness/processes.ts';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';
import { swanctl } from '../../harness/swanctl.ts';

const kinds = {
  rsa: ['--type', 'rsa', '--size', '2048'],
  ecdsa: ['--type', 'ecdsa', '--size', '256'],
  ed25519: ['--type', 'ed25519'],
} as const;

type Side = 'wayward' | 'strongswan';
const otherSide: Readonly<Record<Side, Side>> = { wayward: 'strongswan', strongswan: 'wayward' };
/** charon needs an address of its own in its network; ours tell the tunnels apart. */
function network(side: Side, index: number): string {
  return side === 'wayward' ? `10.1.${index + 10}.0/24` : '10.2.0.0/24';
}

/** Certificates of one authority for both sides, with keys of every kind. */
async function issue(stage: Stage): Promise<void> {
  const root = join(stage.folder, 'root');
  await mkdir(root);
  const rootKey = join(root, 'key.pem');
  const rootCertificate = join(root, 'certificate.pem');
  const pki = (...words: readonly string[]): Promise<string> =>
    runProgram(['pki', ...words, '--outform', 'pem']);
  await writeFile(rootKey, await pki('--gen', ...kinds.ecdsa));
  const self = ['--self', '--ca', '--type', 'ecdsa', '--in', rootKey, '--dn', 'CN=Interop Root'];
  await writeFile(rootCertificate, await pki(...self));
  for (const side of ['wayward', 'strongswan'] as const) {
    const folder = folderOf(stage, side);
    for (const name of ['x509', 'x509ca', 'private']) await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, 'x509ca', 'root.pem'), await runProgram(['cat', rootCertificate]));
    for (const [kind, options] of Object.entries(kinds)) {
      const key = join(folder, 'private', `${kind}.pem`);
      await writeFile(key, await pki('--gen', ...options));
      const id = `${kind}.${side}.example`;
      const certificate = await pki(
        ...['--issue', '--cacert', rootCertificate, '--cakey', rootKey],
        ...['--type', 'priv', '--in', key, '--dn', `CN=${id}`, '--san', id],
      );
      await writeFile(join(folder, 'x509', `${kind}.pem`), certificate);
    }
    await writeFile(join(folder, 'swanctl.conf'), configuration(stage, side));
  }
}

/** Not where the daemon itself looks. */
function folderOf(stage: Stage, side: Side): string {
  return join(stage[side].folder, 'brought');
}

function configuration(stage: Stage, side: Side): string {
  const other = otherSide[side];
  const outer = (one: Side): string => stage.network[one].outer[stage.family];
  const connections = Object.keys(kinds).map(
    (kind, index) => `
  ${kind} {
    version = 2
    local_addrs = ${outer(side)}
    remote_addrs = ${outer(other)}
    encap = yes
    local {
      auth = pubkey
      certs = ${kind}.pem
      id = ${kind}.${side}.example
    }
    remote {
      auth = pubkey
      id = ${kind}.${other}.example
    }
    children {
      ${kind} {
        local_ts = ${network(side, index)}
        remote_ts = ${network(other, index)}
      }
    }
  }`,
  );
  return `
connections {${connections.join('')}
}
authorities {
  interop {
    cacert = root.pem
  }
}
pools {
  guests {
    addrs = 10.77.0.0/24
  }
}
`;
}

/** What is loaded, as vici clients see it. Keys and certificates have no order. */
async function loaded(path: string): Promise<object> {
  const client = await connectVici(path);
  try {
    const certificates: string[] = [];
    for await (const { type, flag, has_privkey } of client.stream('list-certs'))
      certificates.push(`${type} ${flag} ${has_privkey ?? 'no'}`);
    const authorities: object[] = [];
    for await (const event of client.stream('list-authorities')) authorities.push(event);
    return {
      keys: (await client.request('get-keys')).keys.length,
      certificates: certificates.sort(),
      authorities,
      connections: [...(await client.request('get-conns')).conns].sort(),
      pools: await client.request('get-pools'),
    };
  } finally {
    client.close();
  }
}

const scenario: Scenario = {
  expects:
    'RSA, ECDSA and Ed25519 keys, certificates, an authority and a pool by swanctl --load-all; a tunnel with each',
  families: ['IPv4'],
  async play(stage) {
    await issue(stage);
    await stage.start();
    const peers = ['wayward', 'strongswan'] as const;
    for (const side of peers) {
      const { status, output } = await swanctl(
        { viciPath: stage[side].viciPath, folder: folderOf(stage, side) },
        ...['--load-all', '--noprompt', '--file', join(folderOf(stage, side), 'swanctl.conf')],
      );
      assert.equal(status, 0, output);
    }
    assert.deepEqual(await loaded(stage.wayward.viciPath), await loaded(stage.strongswan.viciPath));

    // Both daemons must give one key one name, or swanctl unloads what it has just loaded.
    const [ours, theirs] = await Promise.all(peers.map((side) => connectVici(stage[side].viciPath)));
    const data = await runProgram(['cat', join(folderOf(stage, 'wayward'), 'private', 'rsa.pem')]);
    const key = { type: 'rsa', data };
    assert.equal((await ours!.request('load-key', key)).id, (await theirs!.request('load-key', key)).id);
    ours!.close();
    theirs!.close();

    for (const kind of Object.keys(kinds)) {
      await stage.initiator.up(kind);
      await stage.agreedChild(kind);
    }
    const initiated = await swanctl(stage.wayward, '--list-sas');
    assert.match(initiated.output, /'ed25519\.strongswan\.example'/);
  },
};
export default scenario;
