// One host with a Host Identity: the real daemon with a configuration that the stage writes.
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostIdentityOf, privateKeyFromPem } from '#crypto';
import { askDaemon, type ControlRequest } from '#daemon';
import type { HipAssociationStatus } from '#hip';
import { hitAddress, type IpAddress } from '#sa';
import { Wayward, WaywardRefusal } from '../harness/wayward.ts';

export type KeyKind = 'RSA' | 'P-256' | 'P-384';

function generate(kind: KeyKind): string {
  const { privateKey } =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: kind });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** How another host is found. */
export interface PeerLines {
  readonly name: string;
  readonly hit: IpAddress;
  readonly address: string;
  readonly lsi: string;
  readonly udp: boolean;
  readonly further?: string;
}

export class HipHost extends Wayward {
  readonly name: string;
  readonly namespace: string;
  readonly hit: IpAddress;
  readonly #key: string;

  constructor(name: string, namespace: string, folder: string, kind: KeyKind) {
    super(namespace, folder);
    this.name = name;
    this.namespace = namespace;
    this.#key = generate(kind);
    const key = privateKeyFromPem(this.#key);
    this.hit = hitAddress(hostIdentityOf(key.publicKey).hit);
  }

  /** Writes `swanctl.conf` and the key. @param hip lines of the section `hip` @param more other sections */
  async configure(peer: PeerLines, hip: string, more = ''): Promise<void> {
    const { name, hit, address, lsi, udp, further = '' } = peer;
    const lines = `${name} {
      hit = ${hit}
      addrs = ${address}
      lsi = ${lsi}
      udp = ${udp ? 'yes' : 'no'}
      ${further}
    }`;
    await this.configureWith(lines, hip, more);
  }

  /** @param peers sections of `hip.peers` */
  async configureWith(peers: string, hip: string, more = ''): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFile(join(this.folder, 'host.pem'), this.#key, { mode: 0o600 });
    const text = `hip {
  ${hip}
  identities {
    own {
      file = host.pem
    }
  }
  peers {
    ${peers}
  }
}
${more}
`;
    await writeFile(join(this.folder, 'swanctl.conf'), text);
  }

  /** @throws WaywardRefusal */
  async hip(action: 'up' | 'down' | 'rekey' | 'check', peer: string): Promise<void> {
    const request: ControlRequest = { kind: 'hip', action, peer };
    const answer = await askDaemon(this.socketPath, request);
    if (answer.kind === 'refused') throw new WaywardRefusal(answer.detail);
    if (answer.kind === 'result' && !answer.result.ok) throw new WaywardRefusal(answer.result.detail);
  }

  /** The association that carries data, if there is one; that with a certain host. */
  async association(peer?: HipHost): Promise<HipAssociationStatus | undefined> {
    const { engine } = await this.status();
    return engine.hip.find(
      ({ childId, remote }) =>
        childId !== undefined && (peer === undefined || hitAddress(remote) === peer.hit),
    );
  }
}
