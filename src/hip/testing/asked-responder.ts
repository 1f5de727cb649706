// sun, to which somebody talks as moon by packets made by hand.
import assert from 'node:assert/strict';
import { hipUdpPort } from '#wire';
import type { HipConfiguration } from '../configuration.ts';
import { HandmadeInitiator, type I2Change } from './handmade-initiator.ts';
import { testIdentity } from './identities.ts';
import { TwoHosts } from './two-hosts.ts';

export class AskedResponder extends TwoHosts {
  readonly initiator: HandmadeInitiator;

  constructor(configuration: Partial<HipConfiguration> = {}) {
    super({ sun: { configuration } });
    this.initiator = new HandmadeInitiator(testIdentity('p256-a'), this.sun.hit);
  }

  /** @returns what sun answers, which goes to nobody else */
  tell(octets: Uint8Array): readonly Uint8Array[] {
    const { sun } = this;
    const path = {
      local: { ...sun.endpoint, port: hipUdpPort },
      remote: { ...this.moon.endpoint, port: hipUdpPort },
    };
    sun.sent.length = 0;
    sun.give(this.now, { kind: 'packet', path, octets });
    assert.ok(sun.sent.every(({ path: { remote } }) => remote.address === path.remote.address));
    return sun.sent.map((sent) => sent.octets);
  }

  /** As sun offers it now. */
  askR1(initiator: HandmadeInitiator = this.initiator): Uint8Array {
    const [r1] = this.tell(initiator.i1);
    assert.ok(r1 !== undefined);
    return r1;
  }

  /** The answer to the R1 that sun offers now. */
  i2(change: I2Change = {}): Uint8Array {
    return this.initiator.i2(this.askR1(), change);
  }
}
