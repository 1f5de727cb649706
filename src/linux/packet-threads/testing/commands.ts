// Commands for SAs whose keys nobody uses.
import { address, Encr, type SaCommand, type SaDirection, type Spi, selectorOfPrefix } from '#sa';

const peer = '192.0.2.2';

export type Installation = Extract<SaCommand, { kind: 'install' }>;

export function installation(
  direction: SaDirection,
  spi: number,
  childId: number,
  generation = 0,
  remote: string = peer,
): Installation {
  const everything = [selectorOfPrefix('10.0.0.0/8')!];
  return {
    kind: 'install',
    sa: {
      ...{ direction, protocol: 'esp', spi: spi as Spi, mode: 'tunnel' },
      ...{ local: address('192.0.2.1'), remote: address(remote), childId, generation },
      encapsulation: { localPort: 4500, remotePort: 4500 },
      encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(spi) },
      ...{ esn: false, replayWindow: 64, selectors: { local: everything, remote: everything } },
      ...{ lifetimes: {}, copyDscp: 'out', copyDf: true },
    },
  };
}

export function removal(direction: SaDirection, spi: number, childId: number): SaCommand {
  return { kind: 'remove', protocol: 'esp', direction, spi: spi as Spi, childId };
}
