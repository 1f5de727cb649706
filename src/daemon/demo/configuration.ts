// The built-in configuration of the demonstration: two gateways on loopback, ports that need no privilege.

import type { DemoPorts } from './reserved-ports.ts';

export type Side = 'left' | 'right';

/** What one side of the demonstration is. */
export interface DemoSide {
  readonly side: Side;
  readonly address: string;
  /** A host behind this gateway; the demonstration's traffic runs between the two of them. */
  readonly host: string;
  readonly network: string;
}

export const demoSides: Readonly<Record<Side, DemoSide>> = {
  left: { side: 'left', address: '127.0.0.1', host: '10.1.0.1', network: '10.1.0.0/24' },
  right: { side: 'right', address: '127.0.0.2', host: '10.2.0.1', network: '10.2.0.0/24' },
};

export function otherSide(side: Side): Side {
  return side === 'left' ? 'right' : 'left';
}

/**
 * swanctl.conf text of one side. ESP goes in UDP: an ordinary process may not send it natively. The right gateway does not
 * know where its peer is, as that of a road warrior would not: after a crash it cannot call, and has to tell.
 */
export function demoConfiguration(side: Side, ports: DemoPorts): string {
  const us = demoSides[side];
  const them = demoSides[otherSide(side)];
  return `
wayward {
  port = ${ports.ike}
  port_nat_t = ${ports.natTraversal}
}
connections {
  demo {
    version = 2
    local_addrs = ${us.address}
    remote_addrs = ${side === 'left' ? them.address : '%any'}
    local_port = ${ports.ike}
    remote_port = ${ports.ike}
    proposals = aes128gcm16-prfsha256-x25519
    encap = yes
    local {
      auth = psk
      id = ${us.side}.example
    }
    remote {
      auth = psk
      id = ${them.side}.example
    }
    children {
      demo {
        local_ts = ${us.network}
        remote_ts = ${them.network}
        esp_proposals = aes128gcm16
        start_action = ${side === 'left' ? 'start' : 'none'}
        rekey_time = 30s
      }
    }
  }
}
secrets {
  ike-demo {
    secret = "the demonstration's secret is no secret"
  }
}
`;
}
